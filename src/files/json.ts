import { JsonText } from './json-text.ts';

/** Levels of arrays and objects in one another: the limit of serde_json, which the reference of safetensors uses. */
const MAX_DEPTH = 127;

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * A cursor over JSON (RFC 8259) in well-formed UTF-8. It shows the repeated names that JSON.parse drops, and makes nothing but
 * what its caller asks for.
 */
export class JsonCursor extends JsonText {
  #depth = 0;

  atObject(): boolean {
    return this.peek() === OPEN_BRACE;
  }

  atArray(): boolean {
    return this.peek() === OPEN_BRACKET;
  }

  atString(): boolean {
    return this.peek() === QUOTE;
  }

  /** Reads an object: `visit` gets each name and its offset, and reads the value. */
  members(visit: (name: string, at: number) => void): void {
    this.keys(() => this.string(), visit);
  }

  /** Reads an object as members() does, but `read` reads the name. */
  keys<T>(read: () => T, visit: (name: T, at: number) => void): void {
    this.#enter(OPEN_BRACE, 'an object');
    if (!this.accept(CLOSE_BRACE)) {
      do {
        const at = this.next();
        const name = read();
        this.expect(COLON, 'a colon');
        visit(name, at);
      } while (this.accept(COMMA));
      this.expect(CLOSE_BRACE, 'a comma or the end of the object');
    }
    this.#depth--;
  }

  /** Reads an array: `visit` reads each value. */
  items(visit: () => void): void {
    this.#enter(OPEN_BRACKET, 'an array');
    if (!this.accept(CLOSE_BRACKET)) {
      do visit();
      while (this.accept(COMMA));
      this.expect(CLOSE_BRACKET, 'a comma or the end of the array');
    }
    this.#depth--;
  }

  /** Skips any value. @returns an integer below 2^53 in plain digits (no sign, fraction or exponent), else undefined */
  integer(): number | undefined {
    const start = this.next();
    this.skip();
    let value = 0;
    for (let at = start; at < this.at; at++) {
      const digit = this.bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return undefined;
      value = 10 * value + digit;
    }
    return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
  }

  /** Skips any value, checking its syntax. */
  skip(): void {
    const byte = this.peek();
    if (byte === QUOTE) this.skipString();
    else if (byte === OPEN_BRACE) this.members(() => this.skip());
    else if (byte === OPEN_BRACKET) this.items(() => this.skip());
    else if (byte === MINUS || this.#atDigit()) this.#number();
    else if (!this.#word('true') && !this.#word('false') && !this.#word('null')) this.invalid('a value');
  }

  /** Skips `null` if it is next. @returns whether it was */
  skipNull(): boolean {
    this.peek();
    return this.#word('null');
  }

  /** @throws ModelError if anything but white space is left */
  end(): void {
    if (this.peek() !== undefined) this.invalid('the end');
  }

  #enter(bracket: number, name: string): void {
    this.expect(bracket, name);
    if (++this.#depth > MAX_DEPTH) {
      const where = `byte ${this.at - 1}`;
      const reason = `the JSON is nested deeper than ${MAX_DEPTH} levels (at ${where})`;
      this.refuse.because('too-deep', where, reason, MAX_DEPTH, this.#depth);
    }
  }

  #number(): void {
    if (this.bytes[this.at] === MINUS) this.at++;
    if (this.bytes[this.at] === ZERO) this.at++;
    else this.#digits();
    if (this.bytes[this.at] === DOT) {
      this.at++;
      this.#digits();
    }
    if ((this.bytes[this.at]! | 0x20) === LOWER_E) {
      this.at++;
      const sign = this.bytes[this.at];
      if (sign === PLUS || sign === MINUS) this.at++;
      this.#digits();
    }
  }

  #digits(): void {
    if (!this.#atDigit()) this.invalid('a digit');
    while (this.#atDigit()) this.at++;
  }

  #atDigit(): boolean {
    const byte = this.bytes[this.at]!;
    return byte >= ZERO && byte <= ZERO + 9;
  }

  #word(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.at + i] !== word.charCodeAt(i)) return false;
    }
    this.at += word.length;
    return true;
  }
}
