import { describe } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { decodeUtf8, findInvalidUtf8 } from '../files/utf8.ts';
import { refuse } from './refuse.ts';
import { Opaque } from './values.ts';

/** The latest that there is. */
export const MAX_PROTOCOL = 5;

/** What a number or text takes on the budget of the file: half as much again as its size, since collectors are late. */
export const VALUE_BYTES = 96;

/** Larger integers say nothing about a tensor. */
const LONG_BYTES = 8;

/** The operands of a pickle's opcodes, one after the other, and how they are written. */
export class PickleCursor {
  /** For an integer of up to eight bytes: one for each would take most of the time. */
  readonly #wide = new DataView(new ArrayBuffer(LONG_BYTES));
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #budget: Budget;

  constructor(bytes: Uint8Array, budget: Budget) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = budget;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  spend(bytes: number): void {
    this.#budget.spend(bytes, 'data.pkl');
  }

  /** Goes on by `count` bytes and gives where they begin. */
  advance(count: number): number {
    const begin = this.#at;
    if (begin + count > this.#bytes.length) {
      const text = `data.pkl ends at byte ${this.#bytes.length}, in the middle of its value`;
      refuse('truncated', 'data.pkl', text, begin + count, this.#bytes.length);
    }
    this.#at += count;
    return begin;
  }

  /** The next bytes of the pickle. */
  bytes(count: number): Uint8Array {
    const begin = this.advance(count);
    return this.#bytes.subarray(begin, this.#at);
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.advance(width);
    if (width === 1) return this.#bytes[at]!;
    if (width === 2) return this.#view.getUint16(at, true);
    const low = this.#view.getUint32(at, true);
    return width === 4 ? low : low + 2 ** 32 * this.#view.getUint32(at + 4, true);
  }

  int32(): number {
    return this.unsigned(4) | 0;
  }

  /** An integer in two's complement. */
  long(size: number): number | bigint | Opaque {
    const at = this.advance(size);
    if (size > LONG_BYTES) return this.#large();
    const wide = this.#wide;
    const sign = size > 0 && this.#bytes[at + size - 1]! > 0x7f ? 0xff : 0;
    for (let i = 0; i < LONG_BYTES; i++) wide.setUint8(i, i < size ? this.#bytes[at + i]! : sign);
    return this.#narrow(wide.getBigInt64(0, true));
  }

  /** The text of a line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const text = this.string((end < 0 ? this.#bytes.length : end) - this.#at);
    this.advance(1);
    return text;
  }

  /** An integer in decimal digits; as text `01` and `00` are booleans. */
  decimal(text: string): unknown {
    if (!/^-?\d+$/.test(text)) this.wrong('invalid-pickle', `the integer ${describe(text)}`);
    return text.length > 20 ? this.#large() : this.#narrow(BigInt(text));
  }

  #narrow(value: bigint): number | bigint {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    this.spend(VALUE_BYTES);
    return value;
  }

  #large(): Opaque {
    this.spend(VALUE_BYTES);
    return new Opaque('a large integer');
  }

  string(size: number): string {
    const bytes = this.bytes(size);
    this.spend(VALUE_BYTES + 2 * size);
    if (findInvalidUtf8(bytes) >= 0) this.wrong('invalid-utf8', 'a string that is not UTF-8');
    return decodeUtf8(bytes);
  }

  frame(): void {
    const size = this.unsigned(8);
    // to be complete; nothing is passed over
    if (this.#at + size > this.#bytes.length) this.advance(size);
  }

  protocol(): void {
    const version = this.unsigned(1);
    if (version > MAX_PROTOCOL) this.wrong('unsupported-protocol', `protocol ${version}, above ${MAX_PROTOCOL},`);
  }

  /** `back`: from the current byte to the one meant. */
  wrong(code: string, found: string, back = 0): never {
    refuse(code, 'data.pkl', `data.pkl has ${found} (${this.where(back)})`, 'the pickle of a state dict', found);
  }

  /** Where the cursor is, as a message says it. */
  where(back = 0): string {
    return `at byte ${this.#at + back} of data.pkl`;
  }
}
