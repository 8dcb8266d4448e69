import { describe } from '../base/tensor.ts';

// What an unpickled value can be. Strings, booleans, null and integers (number, or bigint from 2^53) stand for themselves.

export class Dict {
  readonly items = new Map<unknown, unknown>();
}

export class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** What no tensor is made of, and nobody looks into: a list, a float, bytes. */
export class Opaque {
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }
}

/** The storage of a persistent id, as the pickle has it: nothing of it is checked yet. */
export class Storage {
  readonly dtype: string;
  readonly key: unknown;
  /** Elements */
  readonly size: unknown;

  constructor(dtype: string, key: unknown, size: unknown) {
    this.dtype = dtype;
    this.key = key;
    this.size = size;
  }
}

/** A view of a storage, as the pickle has it: nothing of it is checked yet. */
export class StoredTensor {
  readonly storage: unknown;
  /** In elements, as the strides */
  readonly offset: unknown;
  readonly dims: unknown;
  readonly strides: unknown;

  constructor(storage: unknown, offset: unknown, dims: unknown, strides: unknown) {
    this.storage = storage;
    this.offset = offset;
    this.dims = dims;
    this.strides = strides;
  }
}

/** A global that a state dict needs: the type of a storage, or what REDUCE may call. */
export interface Global {
  readonly name: string;
  readonly dtype?: string;
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** A value as a message shows it; nothing is walked into. */
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
