import { type Refuse, refuseAs } from '../base/errors.ts';
import { describe, type TensorLike, tag } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { parseJson } from '../files/json-value.ts';
import { encodeUtf8 } from '../files/utf8.ts';

/** A value of a JSON file and its path, which the ModelErrors of all methods name. */
export class Field {
  /** Its place in the file: `layers[0].shape`; '' for the whole file. */
  readonly path: string;
  readonly value: unknown;
  readonly #refuse: Refuse;
  readonly #budget: Budget | undefined;

  private constructor(refuse: Refuse, budget: Budget | undefined, path: string, value: unknown) {
    this.#refuse = refuse;
    this.#budget = budget;
    this.path = path;
    this.value = value;
  }

  /**
   * Reads the file that a caller gave, as its text or as an object.
   * @param who the reader, as messages name it
   */
  static read(who: string, json: string | object): Field {
    if (typeof json !== 'string') return new Field(refuseAs(who), undefined, '', json);
    const budget = new Budget(who, json.length);
    const bytes = encodeUtf8(json);
    budget.spend(bytes.length, 'the text');
    return new Field(refuseAs(who), budget, '', parseJson(who, bytes, budget));
  }

  /**
   * Refuses this value.
   * @param note the end of the message: what to do
   */
  refuse(code: string, expected: unknown, found: unknown, note = ''): never {
    return this.#refuse(code, this.path, this.path === '' ? 'the file' : describe(this.path), expected, found, note);
  }

  /** Counts bytes that are about to be taken for this value; an object of the caller is as large as it is. */
  spend(bytes: number): void {
    this.#budget?.spend(bytes, this.path === '' ? 'the file' : describe(this.path));
  }

  /** Lists the names of an object's members. */
  keys(): string[] {
    return Object.keys(this.#object());
  }

  /** Tells whether an object has a member. */
  has(key: string): boolean {
    return Object.hasOwn(this.#object(), key);
  }

  /** Gives a member of an object. @throws ModelError if it is missing */
  get(key: string): Field {
    const object = this.#object();
    const field = this.#child(this.path === '' ? key : `${this.path}.${key}`, object[key]);
    if (!Object.hasOwn(object, key)) field.refuse('missing-field', 'a value', 'none');
    return field;
  }

  /** Gives the elements of an array. */
  items(): Field[] {
    // Array.from, since map() skips the holes that an array of a caller's object may have
    return Array.from(this.#array(), (value, i) => this.#child(`${this.path}[${i}]`, value));
  }

  /** Gives one element of an array. */
  at(i: number): Field {
    return this.#child(`${this.path}[${i}]`, this.#array()[i]);
  }

  /** Whether the value is an object with members. */
  get isObject(): boolean {
    return tag(this.value) === 'Object';
  }

  /** The length of an array. */
  get length(): number {
    return this.#array().length;
  }

  /** Checks the length of an array. */
  checkLength(size: number): void {
    if (this.length !== size) this.refuse('wrong-length', `${size} elements`, this.length);
  }

  /** Reads a string. */
  string(): string {
    if (typeof this.value !== 'string') this.refuse('wrong-type', 'a string', describe(this.value));
    return this.value;
  }

  /** Reads one of `values`. @param note the end of the message if it is none of them */
  oneOf<T>(values: readonly T[], note = ''): T {
    if (!values.includes(this.value as T)) {
      this.refuse('unsupported', `${values.map(describe).join(' or ')}`, describe(this.value), note);
    }
    return this.value as T;
  }

  /** Reads an integer from 1. */
  size(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 1) {
      this.refuse('wrong-type', 'an integer from 1', describe(this.value));
    }
    return this.value as number;
  }

  /** Reads an array of `size` numbers. */
  vector(size: number): Float32Array<ArrayBuffer> {
    this.checkLength(size);
    const floats = new Float32Array(size);
    this.#copy(floats, 0, this.#array());
    return floats;
  }

  /** Reads an array of `rows` arrays of `columns` numbers, row by row. */
  matrix(rows: number, columns: number): Float32Array<ArrayBuffer> {
    this.checkLength(rows);
    const list = this.#array();
    // all lengths are checked first, so that the allocation is bounded by the numbers in the file
    for (let i = 0; i < rows; i++) {
      const row = list[i];
      if (!Array.isArray(row) || row.length !== columns) this.at(i).checkLength(columns);
    }
    const floats = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++) this.#copy(floats, i * columns, list[i] as unknown[], i);
    return floats;
  }

  /** Reads an array of numbers, or of arrays of numbers, as a tensor. */
  tensor(): TensorLike {
    const rows = this.length;
    const first = (this.value as unknown[])[0];
    if (!Array.isArray(first)) return { data: this.vector(rows), dims: [rows] };
    return { data: this.matrix(rows, first.length), dims: [rows, first.length] };
  }

  #child(path: string, value: unknown): Field {
    return new Field(this.#refuse, this.#budget, path, value);
  }

  /** Copies numbers to `floats`, from `at` on. @param row the index of the array in this one, if it is not this one itself */
  #copy(floats: Float32Array, at: number, numbers: readonly unknown[], row?: number): void {
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i];
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
        const field = (row === undefined ? this : this.at(row)).at(i);
        field.refuse('not-a-number', 'a finite float32', describe(value));
      }
      floats[at + i] = value as number;
    }
  }

  #object(): Record<string, unknown> {
    if (!this.isObject) this.refuse('wrong-type', 'an object', describe(this.value));
    return this.value as Record<string, unknown>;
  }

  #array(): unknown[] {
    if (!Array.isArray(this.value)) this.refuse('wrong-type', 'an array', describe(this.value));
    return this.value;
  }
}
