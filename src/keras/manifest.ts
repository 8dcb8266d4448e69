import { describe, formatDims, product } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { float16ToFloat32 } from '../files/float-formats.ts';
import type { Config } from './config.ts';
import type { NamedTensor } from './named-weights.ts';
import { refuse } from './refuse.ts';

/** The types in which weights are stored, and their bytes. */
export const STORED: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['float16', 2],
  ['uint16', 2],
  ['uint8', 1],
]);

/** The types of an optimizer's weights, and their bytes. Its step is an int32. */
const OPTIMIZER_TYPES: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
]);

/** The files of weights, read as if they were one. */
export class Shards {
  readonly #shards: readonly Uint8Array[];
  /** Bytes of all files. */
  readonly length: number;

  constructor(shards: readonly Uint8Array[]) {
    this.#shards = shards;
    this.length = shards.reduce((sum, { length }) => sum + length, 0);
  }

  /** Copies the bytes from `begin` up to `end`, which have to be there. */
  slice(begin: number, end: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(end - begin);
    let start = 0;
    for (const shard of this.#shards) {
      const from = Math.max(begin, start);
      const to = Math.min(end, start + shard.length);
      if (from < to) bytes.set(shard.subarray(from - start, to - start), from - begin);
      start += shard.length;
    }
    return bytes;
  }
}

/**
 * Reads the tensors that weightsManifest lists. They lie in the shards one after the other, with nothing between or behind.
 * Those of an optimizer are left out.
 * @throws ModelError
 */
export function readManifest(manifest: Config, shards: Shards, budget: Budget): NamedTensor[] {
  const tensors: NamedTensor[] = [];
  const names = new Set<string>();
  let at = 0;
  for (const group of manifest.items()) {
    for (const weight of group.get('weights').items()) {
      const name = weight.get('name').string();
      if (names.has(name)) weight.get('name').refuse('duplicate-weight', 'names that differ');
      names.add(name);
      budget.spend(100, weight.path);
      const ofOptimizer = weight.get('group').value === 'optimizer';
      const entry = ofOptimizer ? undefined : readEntry(weight, name);
      const begin = at;
      at += entry?.bytes ?? optimizerBytes(weight, name);
      if (at > shards.length) {
        const reason = `the weight ${describe(name)} ends at byte ${at}, but the weights have ${shards.length} bytes`;
        refuse.because('truncated', name, reason, at, shards.length);
      }
      if (!entry) continue;
      const read = () => entry.read(shards.slice(begin, begin + entry.bytes));
      tensors.push({ path: name, name, tensor: { dims: entry.dims, read } });
    }
  }
  if (at !== shards.length) {
    refuse('size-mismatch', manifest.path, 'the bytes of all weights in weightsManifest', at, shards.length);
  }
  return tensors;
}

/** Reads the shape of a weight and counts its bytes. */
function readSize(weight: Config, name: string, width: number): { dims: number[]; bytes: number } {
  const dims = weight
    .get('shape')
    .items()
    .map((size) => size.integer(0, 2 ** 31 - 1));
  const bytes = product(dims) * width;
  if (dims.length > 8 || !(bytes <= 2 ** 32)) {
    const reason = `the weight ${describe(name)} is too large: shape ${formatDims(dims.slice(0, 9))}`;
    refuse.because('too-large', name, reason, 'less', bytes);
  }
  return { dims, bytes };
}

/** Counts the bytes of an optimizer's weight. */
function optimizerBytes(weight: Config, name: string): number {
  const type = weight.get('dtype');
  const width = OPTIMIZER_TYPES.get(type.string());
  return readSize(weight, name, width ?? type.refuse('unsupported', [...OPTIMIZER_TYPES.keys()].join(', '))).bytes;
}

/** Reads the shape, the bytes and the conversion of a weight. */
function readEntry(weight: Config, name: string) {
  const type = weight.get('dtype').string();
  if (type !== 'float32') weight.get('dtype').refuse('unsupported', `float32 for ${describe(name)}`);
  const quantization = weight.get('quantization');
  const stored = quantization.given ? quantization.get('dtype') : weight.get('dtype');
  const width = STORED.get(stored.string()) ?? stored.refuse('unsupported', [...STORED.keys()].join(', '));
  const { dims, bytes } = readSize(weight, name, width);
  const linear = stored.value === 'uint8' || stored.value === 'uint16';
  const scale = linear ? required(quantization.get('scale')) : 1;
  const min = linear ? required(quantization.get('min')) : 0;
  return {
    dims,
    bytes,
    read({ buffer }: Uint8Array<ArrayBuffer>): Float32Array {
      if (stored.value === 'float16') return float16ToFloat32(new Uint16Array(buffer));
      if (!linear) return new Float32Array(buffer);
      const integers = stored.value === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
      return Float32Array.from(integers, (value) => value * scale + min);
    },
  };
}

/** Reads a number that has no default. */
function required(field: Config): number {
  if (!field.given) field.refuse('missing-field', 'a number', 'none');
  return field.number(0);
}
