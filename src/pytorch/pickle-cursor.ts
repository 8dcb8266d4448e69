import { describe } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { decodeUtf8, findInvalidUtf8 } from '../files/utf8.ts';
import { refuse } from './refuse.ts';
import { BYTES, LARGE, type Opaque } from './values.ts';

/** The latest protocol of pickle. */
export const MAX_PROTOCOL = 5;

/** Bytes on the budget for a number or text: half as much again as V8 takes, since garbage is collected late. */
export const VALUE_BYTES = 64;

/** The most bytes of an integer that is read; no size or offset has more. */
const LONG_BYTES = 8;

/** Reads the operands of a pickle's opcodes, one after the other. */
export class PickleCursor {
  /** Holds an integer of up to eight bytes; a view for each would take most of the time. */
  readonly #wide = new DataView(new ArrayBuffer(LONG_BYTES));
  #at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #budget: Budget;
  readonly #name: string;

  /** @param name what the bytes are, in messages */
  constructor(bytes: Uint8Array, budget: Budget, name: string, begin: number) {
    this.#at = begin;
    this.#bytes = bytes;
    this.#name = name;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = budget;
  }

  /** The offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Counts bytes on the budget. */
  spend(bytes: number): void {
    this.#budget.spend(bytes, this.#name);
  }

  /** Skips `count` bytes. @returns the offset where they begin */
  advance(count: number): number {
    const begin = this.#at;
    if (begin + count > this.#bytes.length) {
      const reason = `${this.#name} ends at byte ${this.#bytes.length}, in the middle of its value`;
      refuse.because('truncated', this.#name, reason, begin + count, this.#bytes.length);
    }
    this.#at += count;
    return begin;
  }

  /** Reads `count` bytes, as a view. */
  bytes(count: number): Uint8Array {
    const begin = this.advance(count);
    return this.#bytes.subarray(begin, this.#at);
  }

  /** Reads an unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.advance(width);
    if (width === 1) return this.#bytes[at]!;
    if (width === 2) return this.#view.getUint16(at, true);
    const low = this.#view.getUint32(at, true);
    return width === 4 ? low : low + 2 ** 32 * this.#view.getUint32(at + 4, true);
  }

  /** Reads a signed integer of 4 bytes. */
  int32(): number {
    return this.unsigned(4) | 0;
  }

  /** Reads a signed integer of `size` bytes, in two's complement. */
  long(size: number): number | bigint | Opaque {
    const at = this.advance(size);
    if (size > LONG_BYTES) return LARGE;
    const wide = this.#wide;
    const sign = size > 0 && this.#bytes[at + size - 1]! > 0x7f ? 0xff : 0;
    for (let i = 0; i < LONG_BYTES; i++) wide.setUint8(i, i < size ? this.#bytes[at + i]! : sign);
    return this.#narrow(wide.getBigInt64(0, true));
  }

  /** Reads the text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const text = this.string((end < 0 ? this.#bytes.length : end) - this.#at);
    this.advance(1);
    return text;
  }

  /** Converts an integer in decimal digits. Python writes booleans so too, as 01 and 00. */
  decimal(text: string): unknown {
    if (!/^-?\d+$/.test(text)) this.wrong('invalid-pickle', `the integer ${describe(text)}`);
    return text.length > 20 ? LARGE : this.#narrow(BigInt(text));
  }

  #narrow(value: bigint): number | bigint {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    this.spend(VALUE_BYTES);
    return value;
  }

  /** Reads a string of `size` bytes in UTF-8. */
  string(size: number): string {
    const bytes = this.bytes(size);
    this.spend(VALUE_BYTES + 2 * size);
    if (findInvalidUtf8(bytes) >= 0) this.wrong('invalid-utf8', 'a string that is not UTF-8');
    return decodeUtf8(bytes);
  }

  /** Reads a string of Python 2, which may be text or bytes. */
  oldString(size: number): string | Opaque {
    const begin = this.#at;
    if (findInvalidUtf8(this.bytes(size)) >= 0) return BYTES;
    this.#at = begin;
    return this.string(size);
  }

  /** Reads the size of a frame, which has to be in the pickle. */
  frame(): void {
    const size = this.unsigned(8);
    // only the size is checked: the opcodes of the frame come next
    if (this.#at + size > this.#bytes.length) this.advance(size);
  }

  /** Reads the version of the protocol. */
  protocol(): void {
    const version = this.unsigned(1);
    if (version > MAX_PROTOCOL) this.wrong('unsupported-protocol', `protocol ${version}, above ${MAX_PROTOCOL},`);
  }

  /**
   * Refuses the pickle for `found`, which it has here.
   * @param back the distance from the current byte to the one meant
   */
  wrong(code: string, found: string, back = 0): never {
    const reason = `${this.#name} has ${found} (${this.where(back)})`;
    refuse.because(code, this.#name, reason, 'the pickle of a state dict', found);
  }

  /** Tells a message where the cursor is. */
  where(back = 0): string {
    return `at byte ${this.#at + back} of ${this.#name}`;
  }
}
