import { describe, tag, wrongType } from '../base/tensor.ts';
import { checkFile } from '../files/bytes.ts';
import type { Config } from './config.ts';
import { refuse } from './refuse.ts';

/** Files of weights as a caller gave them: a list, or by the paths of weightsManifest. */
export type WeightFiles = readonly Uint8Array[] | ReadonlyMap<string, Uint8Array>;

/** A group of weights in weightsManifest, and the bytes that they take together. */
export interface WeightGroup {
  readonly paths: Config;
  readonly bytes: number;
}

/** Checks the files of weights that a caller gave. */
export function checkWeights(who: string, weights: unknown): WeightFiles {
  const name = 'weights';
  if (Array.isArray(weights)) return Array.from(weights, (file, i) => checkFile(who, file, `${name}[${i}]`));
  const isMap = tag(weights) === 'Map';
  if (!isMap && tag(weights) !== 'Object') {
    if (ArrayBuffer.isView(weights) || tag(weights) === 'ArrayBuffer' || typeof weights === 'string') {
      return [checkFile(who, weights, name)];
    }
    throw wrongType(who, name, 'a Uint8Array, an ArrayBuffer, a list of them, or an object of them by path', weights);
  }
  const entries = isMap ? [...(weights as Map<string, unknown>)] : Object.entries(weights as object);
  return new Map(entries.map(([path, file]) => [path, checkFile(who, file, `${name}[${describe(path)}]`)]));
}

/** Counts the bytes of all files. */
export function countBytes(files: WeightFiles): number {
  return [...files.values()].reduce((sum, { length }) => sum + length, 0);
}

/** The files of weights, read as if they were one. */
export class Shards {
  readonly #shards: readonly Uint8Array[];
  /** Where each begins. */
  readonly #starts: readonly number[];
  /** Bytes of all files. */
  readonly length: number;

  constructor(shards: readonly Uint8Array[]) {
    this.#shards = shards;
    let length = 0;
    this.#starts = shards.map((shard) => {
      length += shard.length;
      return length - shard.length;
    });
    this.length = length;
  }

  /** Copies the bytes from `begin` up to `end`, which have to be there. */
  slice(begin: number, end: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(end - begin);
    for (let i = this.#shardAt(begin); i < this.#shards.length && this.#starts[i]! < end; i++) {
      const [shard, start] = [this.#shards[i]!, this.#starts[i]!];
      const from = Math.max(begin, start);
      const to = Math.min(end, start + shard.length);
      if (from < to) bytes.set(shard.subarray(from - start, to - start), from - begin);
    }
    return bytes;
  }

  /** Finds the first shard that ends behind `at`, by halving: there may be as many shards as weights. */
  #shardAt(at: number): number {
    let [low, high] = [0, this.#shards.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! + this.#shards[middle]!.length <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Puts the files of weights into the order of weightsManifest. One file has all weights. In a list, the sizes have to tell that it
 * is in that order: writers make all files of a group alike but the last, which may be shorter (write_weights.py of the converter).
 * @throws ModelError if a file is missing or has another size, or a list may be in the order of a directory
 */
export function arrangeShards(groups: readonly WeightGroup[], files: WeightFiles): Shards {
  if (Array.isArray(files) && files.length < 2) return new Shards(files);
  const named = groups.map(({ paths }) => paths.items().map((path) => path.string()));
  const paths = named.flat();
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) {
      refuse.because('duplicate-name', path, `weightsManifest has the path ${describe(path)} twice`, 'once', 'twice');
    }
    seen.add(path);
  }
  return new Shards(
    Array.isArray(files) ? checkList(groups, named, files) : findFiles(groups, named, files as Map<string, Uint8Array>),
  );
}

/** Finds the files by their paths. */
function findFiles(
  groups: readonly WeightGroup[],
  named: readonly (readonly string[])[],
  files: ReadonlyMap<string, Uint8Array>,
): Uint8Array[] {
  return groups.flatMap(({ bytes }, i) => {
    const found = named[i]!.map((path) => {
      const file = files.get(path);
      if (file) return file;
      const given = describe([...files.keys()].slice(0, 3).join(', ') || 'nothing');
      return refuse.because(
        'missing-file',
        path,
        `weights lack the file ${describe(path)}, got ${given}`,
        path,
        undefined,
      );
    });
    const length = countBytes(found);
    if (length !== bytes) {
      const path = named[i]![0] ?? 'no path';
      refuse('size-mismatch', path, `the files of weights from ${describe(path)} on`, `${bytes} bytes`, length);
    }
    return found;
  });
}

/** Checks that a list is in the order of weightsManifest, and in no other that a directory may have. */
function checkList(
  groups: readonly WeightGroup[],
  named: readonly (readonly string[])[],
  list: readonly Uint8Array[],
): readonly Uint8Array[] {
  const paths = named.flat();
  if (list.length !== paths.length) {
    const expected = `${paths.length}, one for each path of weightsManifest, or one with all bytes`;
    refuse('size-mismatch', 'weights', 'the number of files of weights', expected, list.length);
  }
  const fits = (order: readonly string[]) => {
    const sizes = new Map(order.map((path, i) => [path, list[i]!.length]));
    return groups.every(({ bytes }, i) => {
      const own = named[i]!.map((path) => sizes.get(path)!);
      const [size = 0] = own;
      const alike = own.every((one, k) => one === size || (k === own.length - 1 && one < size));
      return alike && own.reduce((sum, one) => sum + one, 0) === bytes;
    });
  };
  const directory = [...paths].sort();
  const sorted = directory.every((path, i) => path === paths[i]);
  const inOrder = fits(paths);
  if (inOrder && (sorted || !fits(directory))) return list;
  const problem = inOrder
    ? 'the sizes of the files of weights do not tell the order of weightsManifest from that of a directory (1, 10, 11, 2)'
    : `the sizes of the files of weights do not fit the order of weightsManifest${fits(directory) ? ', but that of a directory (1, 10, 11, 2)' : ''}`;
  const advice = `give them by path: { weights: { ${describe(paths[0])}: bytes, … } }`;
  return refuse.because(
    inOrder ? 'ambiguous-order' : 'size-mismatch',
    'weights',
    `${problem}: ${advice}`,
    paths,
    undefined,
  );
}
