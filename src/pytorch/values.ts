import { describe } from '../base/tensor.ts';

// The values that a pickle can have. Strings, booleans, null and integers (number, or bigint from 2^53) stand for themselves.

/** A dict, or an OrderedDict. */
export class Dict {
  readonly items = new Map<unknown, unknown>();
}

/** A tuple. */
export class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A stand-in for a value that no tensor is made of: a list, a float, bytes. */
export class Opaque {
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }
}

/** The storage of a persistent id as in the pickle, not checked yet. */
export class Storage {
  readonly dtype: string;
  readonly key: unknown;
  /** The number of its elements. */
  readonly size: unknown;

  constructor(dtype: string, key: unknown, size: unknown) {
    this.dtype = dtype;
    this.key = key;
    this.size = size;
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

/** A global that a state dict needs: the type of a storage (`dtype`), or a function that REDUCE may call. */
export interface Global {
  readonly name: string;
  readonly dtype?: string;
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** Shows a value in a message, without its items. */
export function describeValue(value: unknown): string {
  if (value instanceof Dict) return 'a dict';
  if (value instanceof Tuple) return 'a tuple';
  if (value instanceof Opaque) return value.kind;
  if (value instanceof StoredTensor) return 'a tensor';
  if (value instanceof Storage) return 'a storage';
  if (value === null) return 'None';
  if (typeof value === 'bigint') return `${value}`;
  return typeof value === 'object' ? `the global ${(value as Global).name}` : describe(value);
}
