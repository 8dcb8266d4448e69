import { ModelError } from '../base/errors.ts';
import { describe, type TensorLike, tag, wrongType } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { parseJson } from '../files/json-value.ts';
import { encodeUtf8 } from '../files/utf8.ts';

/** A value of a JSON file and where it is. What is wrong with it is a ModelError that names the place. */
export class Field {
  readonly #who: string;
  readonly path: string;
  readonly value: unknown;

  constructor(who: string, path: string, value: unknown) {
    this.#who = who;
    this.path = path;
    this.value = value;
  }

  /** The file that a caller gave, as its text or as an object. */
  static read(who: string, json: unknown): Field {
    if (typeof json !== 'string') {
      if (tag(json) !== 'Object') throw wrongType(who, 'json', 'an object or its text', json);
      return new Field(who, '', json);
    }
    const budget = new Budget(who, json.length);
    const bytes = encodeUtf8(json);
    budget.spend(bytes.length, 'the text');
    return new Field(who, '', parseJson(who, bytes, budget));
  }

  refuse(code: string, expected: unknown, found: unknown): never {
    const what = this.path === '' ? 'the file' : describe(this.path);
    const message = `${this.#who}: ${what} expected ${expected}, got ${found}`;
    throw new ModelError(message, { code, path: this.path, expected, found });
  }

  /** The names of an object. */
  keys(): string[] {
    return Object.keys(this.#object());
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object(), key);
  }

  /** A member of an object. */
  get(key: string): Field {
    const object = this.#object();
    const field = new Field(this.#who, this.path === '' ? key : `${this.path}.${key}`, object[key]);
    if (!Object.hasOwn(object, key)) field.refuse('missing-field', 'a value', 'none');
    return field;
  }

  /** The elements of an array. */
  items(): Field[] {
    // from(), since map() leaves out what is missing in the array of a caller's object
    return Array.from(this.#array(), (value, i) => new Field(this.#who, `${this.path}[${i}]`, value));
  }

  get isArray(): boolean {
    return Array.isArray(this.value);
  }

  get length(): number {
    return this.#array().length;
  }

  string(): string {
    if (typeof this.value !== 'string') this.refuse('wrong-type', 'a string', describe(this.value));
    return this.value;
  }

  /** @throws ModelError if it is none of `values` */
  oneOf<T>(values: readonly T[]): T {
    if (!values.includes(this.value as T)) {
      this.refuse('unsupported', `${values.map(describe).join(' or ')}`, describe(this.value));
    }
    return this.value as T;
  }

  /** An integer from 1. */
  size(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 1) {
      this.refuse('wrong-type', 'an integer from 1', describe(this.value));
    }
    return this.value as number;
  }

  /** An array of `size` numbers. */
  vector(size: number): Float32Array<ArrayBuffer> {
    this.#checkLength(size);
    const floats = new Float32Array(size);
    this.#copy(floats, 0);
    return floats;
  }

  /** An array of `rows` arrays of `columns` numbers, row by row. */
  matrix(rows: number, columns: number): Float32Array<ArrayBuffer> {
    this.#checkLength(rows);
    const fields = this.items();
    // all lengths first: nothing is made that the file has no numbers for
    for (const row of fields) row.#checkLength(columns);
    const floats = new Float32Array(rows * columns);
    for (const [i, row] of fields.entries()) row.#copy(floats, i * columns);
    return floats;
  }

  /** An array of numbers or of arrays of numbers, with its dims. */
  tensor(): TensorLike {
    const rows = this.length;
    const first = (this.value as unknown[])[0];
    if (!Array.isArray(first)) return { data: this.vector(rows), dims: [rows] };
    return { data: this.matrix(rows, first.length), dims: [rows, first.length] };
  }

  #checkLength(size: number): void {
    if (this.length !== size) this.refuse('wrong-length', `${size} elements`, this.length);
  }

  #copy(floats: Float32Array, at: number): void {
    for (const [i, value] of this.#array().entries()) {
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
        new Field(this.#who, `${this.path}[${i}]`, value).refuse('not-a-number', 'a finite float32', describe(value));
      }
      floats[at + i] = value as number;
    }
  }

  #object(): Record<string, unknown> {
    if (tag(this.value) !== 'Object') this.refuse('wrong-type', 'an object', describe(this.value));
    return this.value as Record<string, unknown>;
  }

  #array(): unknown[] {
    if (!Array.isArray(this.value)) this.refuse('wrong-type', 'an array', describe(this.value));
    return this.value;
  }
}
