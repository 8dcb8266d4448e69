import { describe, tag } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { parseJson } from '../files/json-value.ts';
import { findInvalidUtf8 } from '../files/utf8.ts';
import { refuse, WHO } from './refuse.ts';

/** A value in the JSON of a model and its path, which the ModelErrors of all methods name. */
export class Config {
  readonly path: string;
  readonly value: unknown;

  constructor(path: string, value: unknown) {
    this.path = path;
    this.value = value;
  }

  /** Parses JSON in UTF-8, counted on the budget. @param path the name of the file in messages */
  static parse(path: string, bytes: Uint8Array, budget: Budget): Config {
    const bad = findInvalidUtf8(bytes);
    if (bad >= 0) refuse('invalid-utf8', path, `a byte of ${path}`, 'UTF-8', bytes[bad], ` (at byte ${bad})`);
    return new Config(path, parseJson(`${WHO}: ${path}`, bytes, budget));
  }

  /** Refuses this value. */
  refuse(code: string, expected: string, found = describe(this.value)): never {
    refuse(code, this.path, describe(this.path), expected, found);
  }

  /** Whether there is a value other than null. */
  get given(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Whether items() gives the elements of an array or tuple. */
  get isArray(): boolean {
    return this.#array !== undefined;
  }

  /** The elements of an array or of a tuple, which to_json() of Keras 2 writes as an object. */
  get #array(): readonly unknown[] | undefined {
    if (Array.isArray(this.value)) return this.value;
    if (tag(this.value) !== 'Object') return undefined;
    const { class_name, items } = this.value as Record<string, unknown>;
    return class_name === '__tuple__' && Array.isArray(items) ? items : undefined;
  }

  /**
   * Gives a member of an object; if it is missing, a Config without a value. TensorFlow.js reads `batchInputShape` where Keras
   * writes `batch_input_shape`, and so for all names.
   */
  get(key: string): Config {
    if (tag(this.value) !== 'Object') this.refuse('wrong-type', 'an object');
    const object = this.value as Record<string, unknown>;
    const camel = key.includes('_') ? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : key;
    const found = !Object.hasOwn(object, key) && Object.hasOwn(object, camel) ? camel : key;
    const value = Object.hasOwn(object, found) ? object[found] : undefined;
    return new Config(this.path === '' ? found : `${this.path}.${found}`, value);
  }

  /** Gives the elements of an array or tuple. */
  items(): Config[] {
    const array = this.#array ?? this.refuse('wrong-type', 'an array');
    return Array.from(array, (value, i) => new Config(`${this.path}[${i}]`, value));
  }

  /** Reads a string. */
  string(): string {
    if (typeof this.value !== 'string') this.refuse('wrong-type', 'a string');
    return this.value;
  }

  /** Reads true or false; `otherwise` if there is no value. */
  boolean(otherwise: boolean): boolean {
    if (!this.given) return otherwise;
    if (typeof this.value !== 'boolean') this.refuse('wrong-type', 'true or false');
    return this.value;
  }

  /** Reads a finite number; `otherwise` if there is no value. */
  number(otherwise: number): number {
    if (!this.given) return otherwise;
    if (typeof this.value !== 'number' || !Number.isFinite(this.value)) this.refuse('wrong-type', 'a finite number');
    return this.value;
  }

  /** Reads an integer from `min` to `max`. */
  integer(min: number, max = 2 ** 31 - 1): number {
    const { value } = this;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      this.refuse('wrong-value', `an integer from ${min} to ${max}`);
    }
    return value;
  }

  /** Reads an integer from 1, alone or in an array of one, as Keras writes the sizes of 1-D windows. */
  window(otherwise?: number): number {
    return this.windows(1, otherwise)[0]!;
  }

  /** Reads integers from 1: one for all axes, or an array with one for each. */
  windows(axes: number, otherwise?: number | readonly number[]): readonly number[] {
    if (!this.given && otherwise !== undefined) {
      return typeof otherwise === 'number' ? Array<number>(axes).fill(otherwise) : otherwise;
    }
    if (!this.isArray) return Array<number>(axes).fill(this.integer(1));
    const items = this.items();
    if (items.length !== axes) this.refuse('wrong-value', axes === 1 ? 'one integer' : `${axes} integers`);
    return items.map((item) => item.integer(1));
  }

  /** Reads the shape of a batch: integers from 1, or null for a dimension of any size. */
  shape(): Shape {
    const shape = this.items().map((item) => (item.given ? item.integer(1) : null));
    if (shape.length < 1 || shape.length > MAX_RANK) this.refuse('wrong-value', `1 to ${MAX_RANK} dimensions`);
    return shape;
  }
}

/** The shape of a batch, samples first; null is a dimension of any size. */
export type Shape = readonly (number | null)[];

const MAX_RANK = 8;
