import { describe } from '../base/tensor.ts';

// The values that a pickle can have. Strings, booleans, null and integers (number, or bigint from 2^53) stand for themselves.

const EMPTY: ReadonlyMap<unknown, unknown> = new Map();

/** A dict, or an OrderedDict or Counter. Every tensor has an empty one, of its hooks, so that the Map comes with the first item. */
export class Dict {
  #items: Map<unknown, unknown> | undefined;

  get items(): ReadonlyMap<unknown, unknown> {
    return this.#items ?? EMPTY;
  }

  set(key: unknown, value: unknown): void {
    this.#items ??= new Map();
    this.#items.set(key, value);
  }
}

/**
 * A list. It keeps its items as long as they can be those of an OrderedDict, which Python 2 writes as a list of lists of a name and
 * a value, or if the pickle is one of names; undefined from the first other item on.
 */
export class List {
  items: unknown[] | undefined = [];
}

/** A tuple. */
export class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A stand-in for a value that no tensor is made of: a float, bytes, a set. */
export class Opaque {
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }
}

// one of each kind: a checkpoint may have a million floats
export const FLOAT = new Opaque('a float');
export const BYTES = new Opaque('bytes');
export const SET = new Opaque('a set');
export const LARGE = new Opaque('a large integer');

/**
 * A stand-in for what is not loaded: an object of a global that is not known, or of a call that no state dict has. Whatever the
 * pickle does with it gives the same stand-in, and it is an error only for who wants its value.
 */
export class Foreign {
  readonly code: 'unsupported-global' | 'unsupported-call';
  /** The name of the global, or words for the call. */
  readonly found: string;
  /** Where it is in the file, in words. */
  readonly where: string;

  constructor(code: Foreign['code'], found: string, where: string) {
    this.code = code;
    this.found = found;
    this.where = where;
  }
}

/** The storage of a persistent id as in the pickle, not checked yet. */
export class Storage {
  readonly dtype: string;
  readonly key: unknown;
  /** The number of its elements. */
  readonly size: unknown;
  /** The format before torch 1.6: the part of it that this is, `(key, offset, size)`; None or undefined for all of it. */
  readonly part: unknown;

  constructor(dtype: string, key: unknown, size: unknown, part: unknown) {
    this.dtype = dtype;
    this.key = key;
    this.size = size;
    this.part = part;
  }
}

/** A tensor, a view of a storage, as in the pickle: not checked yet. */
export class StoredTensor {
  readonly storage: unknown;
  /** The index of its first element in the storage. */
  readonly offset: unknown;
  readonly dims: unknown;
  /** The distance between neighbours in each dimension, in elements. */
  readonly strides: unknown;

  constructor(storage: unknown, offset: unknown, dims: unknown, strides: unknown) {
    this.storage = storage;
    this.offset = offset;
    this.dims = dims;
    this.strides = strides;
  }
}

/** A global that is known: the type of a storage (`dtype`), a function that REDUCE may call, or a plain value. */
export interface Global {
  readonly name: string;
  readonly dtype?: string;
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** Shows a value in a message, without its items. */
export function describeValue(value: unknown): string {
  if (value instanceof Dict) return 'a dict';
  if (value instanceof Tuple) return 'a tuple';
  if (value instanceof List) return 'a list';
  if (value instanceof Foreign) return value.found;
  if (value instanceof Opaque) return value.kind;
  if (value instanceof StoredTensor) return 'a tensor';
  if (value instanceof Storage) return 'a storage';
  if (value === null) return 'None';
  if (typeof value === 'bigint') return `${value}`;
  return typeof value === 'object' ? `the global ${(value as Global).name}` : describe(value);
}
