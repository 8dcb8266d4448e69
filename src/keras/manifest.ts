import { describe, formatDims, product } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { float16ToFloat32 } from '../files/float-formats.ts';
import type { Config } from './config.ts';
import type { NamedTensor } from './named-weights.ts';
import { refuse } from './refuse.ts';
import { arrangeShards, countBytes, type WeightFiles, type WeightGroup } from './shards.ts';

/** The types in which weights are stored, and their bytes. */
export const STORED: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['float16', 2],
  ['uint16', 2],
  ['uint8', 1],
]);

/** Bytes on the budget for a weight, beyond the JSON of it. */
const WEIGHT_BYTES = 400;

/** The types of an optimizer's weights, and their bytes. Its step is an int32. */
const OPTIMIZER_TYPES: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
]);

/** A weight in the manifest: the offset behind its bytes, and how to read it unless it is an optimizer's. */
interface Placed {
  readonly name: string;
  readonly end: number;
  readonly entry: Entry | undefined;
}

/** How a weight is stored. Many of them may be read at once, so that it keeps nothing of the JSON. */
interface Entry {
  readonly dims: readonly number[];
  readonly bytes: number;
  /** A key of STORED. */
  readonly format: string;
  readonly scale: number;
  readonly min: number;
}

/**
 * Reads the tensors that weightsManifest lists. They lie in the files one after the other, with nothing between or behind. Those of
 * an optimizer are left out.
 * @throws ModelError
 */
export function readManifest(manifest: Config, files: WeightFiles, budget: Budget): NamedTensor[] {
  const placed: Placed[] = [];
  const groups: WeightGroup[] = [];
  const names = new Set<string>();
  let at = 0;
  for (const group of manifest.items()) {
    const begin = at;
    for (const weight of group.get('weights').items()) {
      const name = weight.get('name').string();
      if (names.has(name)) weight.get('name').refuse('duplicate-weight', 'names that differ');
      names.add(name);
      budget.spend(WEIGHT_BYTES, weight.path);
      const entry = weight.get('group').value === 'optimizer' ? undefined : readEntry(weight, name);
      at += entry?.bytes ?? optimizerBytes(weight, name);
      placed.push({ name, end: at, entry });
    }
    groups.push({ paths: group.get('paths'), bytes: at - begin });
  }
  const length = countBytes(files);
  const beyond = Array.isArray(files) && files.length < 2 && placed.find(({ end }) => end > length);
  if (beyond) {
    const { name, end } = beyond;
    const reason = `the weight ${describe(name)} ends at byte ${end}, but the weights have ${length} bytes`;
    refuse.because('truncated', name, reason, end, length);
  }
  const shards = arrangeShards(groups, files);
  if (at !== shards.length) {
    refuse('size-mismatch', manifest.path, 'the bytes of all weights in weightsManifest', at, shards.length);
  }
  return placed.flatMap(({ name, end, entry }) => {
    if (!entry) return [];
    const read = () => convert(entry, shards.slice(end - entry.bytes, end));
    return [{ path: name, name, tensor: { dims: entry.dims, read } }];
  });
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
function readEntry(weight: Config, name: string): Entry {
  const type = weight.get('dtype').string();
  if (type !== 'float32') weight.get('dtype').refuse('unsupported', `float32 for ${describe(name)}`);
  const quantization = weight.get('quantization');
  const stored = quantization.given ? quantization.get('dtype') : weight.get('dtype');
  const width = STORED.get(stored.string()) ?? stored.refuse('unsupported', [...STORED.keys()].join(', '));
  const { dims, bytes } = readSize(weight, name, width);
  const format = stored.string();
  const linear = format === 'uint8' || format === 'uint16';
  const scale = linear ? required(quantization.get('scale')) : 1;
  const min = linear ? required(quantization.get('min')) : 0;
  return { dims, bytes, format, scale, min };
}

/** Converts the bytes of a weight. */
function convert({ format, scale, min }: Entry, { buffer }: Uint8Array<ArrayBuffer>): Float32Array {
  if (format === 'float32') return new Float32Array(buffer);
  const integers = format === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
  if (format === 'float16') return float16ToFloat32(integers as Uint16Array);
  return Float32Array.from(integers, (value) => value * scale + min);
}

/** Reads a number that has no default. */
function required(field: Config): number {
  if (!field.given) field.refuse('missing-field', 'a number', 'none');
  return field.number(0);
}
