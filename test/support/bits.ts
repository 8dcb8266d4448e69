import type { TensorLike } from '../../src/index.ts';

type Floats = Float32Array | { readonly data: Float32Array };

const dataOf = (floats: Floats): Float32Array => ('data' in floats ? floats.data : floats);

/** Every bit, a NaN's too. */
export function bits(floats: Floats): number[] {
  const data = dataOf(floats);
  return [...new Uint32Array(data.buffer, data.byteOffset, data.length)];
}

/** Every key, shape and bit of a state dict. */
export const dictBits = (dict: ReadonlyMap<string, TensorLike>) =>
  [...dict].map(([key, value]) => [key, [...value.dims], bits(value)]);

/** The bits with one NaN for all: the sign and payload of a NaN that was computed are the processor's choice. */
export function numberBits(floats: Floats): Uint32Array {
  const data = dataOf(floats).slice();
  const words = new Uint32Array(data.buffer);
  data.forEach((value, i) => {
    if (Number.isNaN(value)) words[i] = 0x7fc00000;
  });
  return words;
}

/** All bits in one number, for large tensors. */
export function hash(floats: Floats): number {
  const data = dataOf(floats);
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  return words.reduce((h, word) => Math.imul(h ^ word, 16777619), 1);
}

/** Floats of these bits. */
export const words = (values: readonly number[]) => new Float32Array(new Uint32Array(values).buffer);

/** FNV-1a in 64 bits over the bits of what it is given, word by word. */
export class Digest {
  private _hash = 0xcbf29ce484222325n;

  add(floats: Floats): void {
    for (const word of numberBits(floats)) {
      this._hash = BigInt.asUintN(64, (this._hash ^ BigInt(word)) * 0x100000001b3n);
    }
  }

  toString(): string {
    return this._hash.toString(16);
  }
}
