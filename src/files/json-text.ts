import { type Refuse, refuseAs } from '../base/errors.ts';

/** Bytes of the text that a message shows. */
const EXCERPT = 40;

/** Code units that become a string at once. */
const CHUNK = 4096;

/** Strings up to this length are made without a view of their bytes. */
const SHORT = 64;

const QUOTE = 0x22;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const LOWER_A = 0x61;
const LOWER_U = 0x75;

/** Characters that may follow a backslash, and those that they stand for. */
const ESCAPES: ReadonlyMap<number | undefined, number> = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);

function hexDigit(byte = 0): number {
  if (byte >= ZERO && byte <= ZERO + 9) return byte - ZERO;
  const letter = (byte | 0x20) - LOWER_A;
  return letter >= 0 && letter < 6 ? letter + 10 : Number.NaN;
}

/** Makes a string of code units. apply() is faster than spreading, which iterates. */
function fromUnits(units: Uint8Array | Uint16Array): string {
  return String.fromCharCode.apply(null, units as unknown as number[]);
}

/** Reads the strings of a JSON text in well-formed UTF-8; JsonCursor adds the other values. */
export abstract class JsonText {
  /** The offset of the next byte to read. */
  at: number;
  readonly refuse: Refuse;
  protected readonly bytes: Uint8Array;
  readonly #units = new Uint16Array(CHUNK);

  /** @param who the reader, as messages name it */
  constructor(who: string, bytes: Uint8Array, at: number) {
    this.refuse = refuseAs(who);
    this.bytes = bytes;
    this.at = at;
  }

  /** Skips white space and returns the offset of the next value. */
  next(): number {
    this.peek();
    return this.at;
  }

  /** Reads a string. */
  string(): string {
    const start = this.next() + 1;
    const plain = this.skipString();
    const end = this.at - 1;
    if (plain) return this.#ascii(start, end);
    const units = this.#units;
    let text = '';
    let used = 0;
    this.at = start;
    while (this.at < end) {
      if (used > units.length - 2) {
        text += fromUnits(units.subarray(0, used));
        used = 0;
      }
      const byte = this.bytes[this.at++]!;
      const code = byte === BACKSLASH ? this.#escape() : this.#codePoint(byte);
      if (code < 0x10000) {
        units[used++] = code;
      } else {
        units[used++] = 0xd7c0 + (code >> 10);
        units[used++] = 0xdc00 | (code & 0x3ff);
      }
    }
    this.at++;
    return text + fromUnits(units.subarray(0, used));
  }

  /** Reads the string at an offset where one was read or skipped before. Stays where it is. */
  stringAt(at: number): string {
    const back = this.at;
    this.at = at;
    const text = this.string();
    this.at = back;
    return text;
  }

  /** Reads a string and returns its index in `words`, or -1. */
  oneOf(words: readonly string[]): number {
    const start = this.next() + 1;
    const plain = this.skipString();
    const length = this.at - 1 - start;
    if (!plain) {
      // an escape has at most six bytes: a longer text is none of the words, so no string is made of it
      const longest = 6 * Math.max(...words.map((word) => word.length));
      return length > longest ? -1 : words.indexOf(this.stringAt(start - 1));
    }
    return words.findIndex((word) => {
      if (word.length !== length) return false;
      for (let i = 0; i < length; i++) if (this.bytes[start + i] !== word.charCodeAt(i)) return false;
      return true;
    });
  }

  /** Skips a string, keeping nothing of it. @returns whether it is plain ASCII without escapes */
  skipString(): boolean {
    this.expect(QUOTE, 'a string');
    const bytes = this.bytes;
    let plain = true;
    let { at } = this;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined || byte < 0x20) break;
      at++;
      if (byte === QUOTE) {
        this.at = at;
        return plain;
      }
      if (byte === BACKSLASH) {
        this.at = at;
        this.#escape();
        at = this.at;
      }
      if (byte === BACKSLASH || byte >= 0x80) plain = false;
    }
    this.at = at;
    this.invalid('the end of the string');
  }

  /** Shows the text between two offsets in a message: printable ASCII, shortened. */
  excerpt(from: number, to = this.bytes.length): string {
    if (from === this.bytes.length) return 'the end';
    const shown = this.bytes.subarray(from, Math.min(to, from + EXCERPT));
    const text = fromUnits(shown.map((byte) => (byte < 0x20 || byte > 0x7e ? 0x3f : byte)));
    return from + EXCERPT < to ? `${text}…` : text;
  }

  /** Skips white space and returns the byte after it; undefined at the end. */
  protected peek(): number | undefined {
    let byte = this.bytes[this.at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.bytes[++this.at];
    return byte;
  }

  /** Skips the byte `wanted` if it is next. @returns whether it was */
  protected accept(wanted: number): boolean {
    if (this.peek() !== wanted) return false;
    this.at++;
    return true;
  }

  /** Skips the byte `wanted`, which messages call `name`. @throws ModelError if another one is next */
  protected expect(wanted: number, name: string): void {
    if (!this.accept(wanted)) this.invalid(name);
  }

  /** Throws that something else than `expected` is next. */
  protected invalid(expected: string): never {
    const where = `byte ${this.at}`;
    this.refuse('invalid-json', where, 'the JSON', expected, this.excerpt(this.at), ` (at ${where})`);
  }

  #ascii(start: number, end: number): string {
    if (end - start <= SHORT) {
      // a view of the few bytes of a name would take longer than all the rest
      const codes: number[] = new Array(end - start);
      for (let i = start; i < end; i++) codes[i - start] = this.bytes[i]!;
      return String.fromCharCode.apply(null, codes);
    }
    let text = '';
    for (let at = start; at < end; at += CHUNK) text += fromUnits(this.bytes.subarray(at, Math.min(end, at + CHUNK)));
    return text;
  }

  /** Reads the rest of the code point whose first byte is `lead`. */
  #codePoint(lead: number): number {
    if (lead < 0x80) return lead;
    if (lead < 0xe0) return ((lead & 0x1f) << 6) | this.#continuation();
    if (lead < 0xf0) return ((lead & 0x0f) << 12) | (this.#continuation() << 6) | this.#continuation();
    return ((lead & 0x07) << 18) | (this.#continuation() << 12) | (this.#continuation() << 6) | this.#continuation();
  }

  #continuation(): number {
    return this.bytes[this.at++]! & 0x3f;
  }

  /** Reads an escape after its backslash, both halves of a surrogate pair. @throws ModelError for half a pair */
  #escape(): number {
    const plain = ESCAPES.get(this.bytes[this.at]);
    if (plain !== undefined) {
      this.at++;
      return plain;
    }
    const unit = this.#hexEscape();
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit < 0xdc00 && this.bytes[this.at] === BACKSLASH) {
      this.at++;
      const low = this.#hexEscape();
      if (low >= 0xdc00 && low <= 0xdfff) return ((unit - 0xd7c0) << 10) | (low & 0x3ff);
    }
    this.invalid('a pair of surrogates');
  }

  #hexEscape(): number {
    let unit = this.bytes[this.at] === LOWER_U ? 0 : Number.NaN;
    for (let i = 1; i <= 4; i++) unit = 16 * unit + hexDigit(this.bytes[this.at + i]);
    if (Number.isNaN(unit)) this.invalid('an escape sequence');
    this.at += 5;
    return unit;
  }
}
