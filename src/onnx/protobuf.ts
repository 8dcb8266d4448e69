import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { describe } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { decodeUtf8, findInvalidUtf8 } from '../files/utf8.ts';
import type { ExternalFiles } from './external.ts';
import { refuse } from './refuse.ts';

/** The most messages inside one another: about ten levels of If, each of which takes three. */
const MAX_DEPTH = 32;
/** Bytes counted for a string beside its characters, and for its place in a Map. */
const STRING_BYTES = 24;
const PLACE_BYTES = 48;

/** The longest string that is decoded without a view of its bytes. */
const ASCII = 256;

/** A part of the file, from byte `start` to before byte `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Walks the fields of protobuf messages (https://protobuf.dev/programming-guides/encoding/). The library beneath reads tags and
 * varints; this class also checks every length against the enclosing message, and bounds the nesting.
 */
export class ProtobufReader {
  readonly file: Uint8Array;
  readonly budget: Budget;
  /** An empty Map for all things that have none. */
  readonly empty: ReadonlyMap<string, never> = new Map<string, never>();
  /** Whether a function is being read, whose attributes may refer to those of its call. */
  inFunction = false;
  /** Short strings, each once: nodes name the same values and operators. */
  readonly #strings = new Map<string, string>();
  /** Files beside this one, where tensors may have their data. */
  readonly external: ExternalFiles;
  readonly #reader: BinaryReader;
  /** The end of the message that is being read. */
  #end: number;
  #depth = 0;
  #wire: WireType = WireType.Varint;
  #path = '';

  constructor(file: Uint8Array, budget: Budget, external: ExternalFiles) {
    this.file = file;
    this.budget = budget;
    this.external = external;
    this.#end = file.length;
    this.#reader = new BinaryReader(file, decodeUtf8);
  }

  get #at(): number {
    return this.#reader.pos;
  }

  /** Calls `visit` with the number of each field up to the end; a field that it does not read is skipped. */
  message(path: string, visit: (field: number) => void): void {
    this.#path = path;
    while (this.#at < this.#end) {
      const field = this.#tag();
      const start = this.#at;
      visit(field);
      this.#path = path;
      if (this.#at === start) this.#skip();
    }
  }

  /** Does the same for the message in the current field. */
  nested(path: string, visit: (field: number) => void): void {
    const { end } = this.#enter(path);
    this.#within(end, path, visit);
  }

  /** Does the same for a message that was skipped earlier. */
  again({ start, end }: Range, path: string, visit: (field: number) => void): void {
    this.#reader.pos = start;
    this.#within(end, path, visit);
  }

  #within(end: number, path: string, visit: (field: number) => void): void {
    const outer = this.#end;
    this.#end = end;
    this.#depth++;
    this.message(path, visit);
    this.#depth--;
    this.#end = outer;
  }

  #enter(path: string): Range {
    this.#path = path;
    if (this.#depth >= MAX_DEPTH) {
      this.#refuse('too-deep', `at most ${MAX_DEPTH} messages inside one another`, 'more');
    }
    return this.#range();
  }

  #tag(): number {
    const at = this.#at;
    let tag: [number, WireType];
    try {
      tag = this.#reader.tag();
    } catch (error) {
      return this.#refuse('malformed', 'the tag of a field', (error as Error).message, at);
    }
    this.#check(at);
    this.#wire = tag[1];
    return tag[0];
  }

  #skip(): void {
    if (this.#wire === WireType.LengthDelimited) this.#reader.pos = this.#range().end;
    else if (this.#wire === WireType.Varint) this.#varint();
    else if (this.#wire === WireType.Bit32 || this.#wire === WireType.Bit64) {
      this.#reader.pos += this.#wire === WireType.Bit32 ? 4 : 8;
      this.#check(this.#at);
    } else this.#refuse('malformed', 'a field, ONNX has no groups', `wire type ${this.#wire}`);
  }

  /** Reads a varint as an integer from -2^63 to 2^63 - 1: a number if that is exact, else a bigint. */
  #varint(): number | bigint {
    const at = this.#at;
    const first = this.file[at]!;
    if (first < 0x80 && at < this.#end) {
      this.#reader.pos++;
      return first;
    }
    let value: bigint;
    try {
      value = BigInt(this.#reader.int64());
    } catch (error) {
      return this.#refuse('malformed', 'a varint', (error as Error).message, at);
    }
    this.#check(at);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  /** Refuses a value that ends beyond its message. */
  #check(at: number): void {
    if (this.#at > this.#end) this.#refuse('truncated', `${this.#at - this.#end} bytes more`, 'the end', at);
  }

  #refuse(code: string, expected: string, found: string, at = this.#at): never {
    refuse(code, this.#path, `at byte ${at}`, expected, found);
  }

  #expect(...wires: WireType[]): void {
    if (wires.includes(this.#wire)) return;
    this.#refuse('malformed', `wire type ${wires.join(' or ')}`, `${this.#wire}`);
  }

  /** Reads the length of the current field. @returns the part with its bytes, which come next */
  #range(): Range {
    this.#expect(WireType.LengthDelimited);
    const at = this.#at;
    const length = this.#varint();
    const start = this.#at;
    if (!(length >= 0 && length <= this.#end - start)) {
      this.#refuse('truncated', `a length of at most ${this.#end - start}`, String(length), at);
    }
    return { start, end: start + Number(length) };
  }

  /** Skips the current field. @returns the part with its bytes */
  range(): Range {
    const range = this.#range();
    this.#reader.pos = range.end;
    return range;
  }

  /** @param isOnce whether the same string is hardly ever read again */
  string(isOnce = false): string {
    const { start, end } = this.range();
    const short = this.#ascii(start, end);
    if (isOnce && short !== undefined) {
      this.budget.spend(STRING_BYTES + end - start, this.#path);
      return short;
    }
    const known = short === undefined ? undefined : this.#strings.get(short);
    if (known !== undefined) return known;
    this.budget.spend(STRING_BYTES + PLACE_BYTES + end - start, this.#path);
    if (short !== undefined) {
      this.#strings.set(short, short);
      return short;
    }
    const bytes = this.file.subarray(start, end);
    const invalid = findInvalidUtf8(bytes);
    if (invalid >= 0) this.#refuse('not-utf8', 'text in UTF-8', 'other bytes', start + invalid);
    return decodeUtf8(bytes);
  }

  /** Decodes short ASCII, as nearly all names are, without a view of its bytes: making one would take most of the time. */
  #ascii(start: number, end: number): string | undefined {
    if (end - start > ASCII) return undefined;
    const codes: number[] = new Array(end - start);
    for (let at = start; at < end; at++) {
      const code = this.file[at]!;
      if (code >= 0x80) return undefined;
      codes[at - start] = code;
    }
    return String.fromCharCode.apply(null, codes);
  }

  integer(): number | bigint {
    this.#expect(WireType.Varint);
    return this.#varint();
  }

  float(): number {
    this.#expect(WireType.Bit32);
    const at = this.#at;
    this.#reader.pos += 4;
    this.#check(at);
    return new DataView(this.file.buffer, this.file.byteOffset + at, 4).getFloat32(0, true);
  }

  /** Reads a repeated integer, packed or not: calls `visit` with each varint. */
  integers(visit: (value: number | bigint) => void): void {
    this.#expect(WireType.Varint, WireType.LengthDelimited);
    if (this.#wire === WireType.Varint) {
      visit(this.#varint());
      return;
    }
    const { end } = this.#range();
    const outer = this.#end;
    this.#end = end;
    while (this.#at < end) visit(this.#varint());
    this.#end = outer;
  }

  /** Skips a repeated number of 4 or 8 bytes, packed or not. @returns the part with the bytes of one or more */
  fixed(bytes: 4 | 8): Range {
    const wire = bytes === 4 ? WireType.Bit32 : WireType.Bit64;
    this.#expect(wire, WireType.LengthDelimited);
    if (this.#wire === wire) {
      const start = this.#at;
      this.#skip();
      return { start, end: this.#at };
    }
    const range = this.range();
    const rest = (range.end - range.start) % bytes;
    if (rest) this.#refuse('malformed', `numbers of ${bytes} bytes`, `${rest} bytes over`, range.start);
    return range;
  }

  /** Reads an integer from 0 to `max`: a size, or a value of an enumeration. */
  size(expected: string, max: number): number {
    const at = this.#at;
    const value = this.integer();
    if (!(value >= 0 && value <= max)) this.#refuse('out-of-range', expected, describe(value), at);
    return Number(value);
  }
}
