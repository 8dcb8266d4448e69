import { describe, formatDims, product } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { float16ToFloat32 } from '../files/float-formats.ts';
import type { Config } from './config.ts';
import type { NamedTensor } from './named-weights.ts';
import { refuse } from './refuse.ts';

/** The types that numbers are stored in, and their bytes. */
export const STORED: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['float16', 2],
  ['uint16', 2],
  ['uint8', 1],
]);

/** What an optimizer has besides: its step, above all. */
const OPTIMIZER_TYPES: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
]);

/** The parts of a file of weights, read as if they were one. */
export class Shards {
  readonly #shards: readonly Uint8Array[];
  readonly length: number;

  constructor(shards: readonly Uint8Array[]) {
    this.#shards = shards;
    this.length = shards.reduce((sum, { length }) => sum + length, 0);
  }

  /** A copy of some bytes, which are there. */
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
 * The tensors that weightsManifest lists, which lie in the shards one after the other, with nothing between or behind. Those of
 * an optimizer are passed over.
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
        const text = `the weight ${describe(name)} ends at byte ${at}, the weights have ${shards.length} bytes`;
        refuse('truncated', name, text, at, shards.length);
      }
      if (!entry) continue;
      const read = () => entry.read(shards.slice(begin, begin + entry.bytes));
      tensors.push({ path: name, name, tensor: { dims: entry.dims, read } });
    }
  }
  if (at !== shards.length) {
    const text = `weightsManifest describes ${at} bytes of weights, there are ${shards.length}`;
    refuse('size-mismatch', manifest.path, text, at, shards.length);
  }
  return tensors;
}

/** The shape of a weight, and its bytes. */
function readSize(weight: Config, name: string, width: number): { dims: number[]; bytes: number } {
  const dims = weight
    .get('shape')
    .items()
    .map((size) => size.integer(0, 2 ** 31 - 1));
  const bytes = product(dims) * width;
  if (dims.length > 8 || !(bytes <= 2 ** 32)) {
    refuse('too-large', name, `the weight ${describe(name)} has shape ${formatDims(dims.slice(0, 9))}`, 'less', bytes);
  }
  return { dims, bytes };
}

function optimizerBytes(weight: Config, name: string): number {
  const type = weight.get('dtype');
  const width = OPTIMIZER_TYPES.get(type.string());
  return readSize(weight, name, width ?? type.refuse('unsupported', [...OPTIMIZER_TYPES.keys()].join(', '))).bytes;
}

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

function required(field: Config): number {
  if (!field.given) field.refuse('missing-field', 'a number', 'none');
  return field.number(0);
}
