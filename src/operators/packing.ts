import type { ValueData } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import { align } from '../memory/arena.ts';

/** Holds memory until it is disposed of. */
export interface Owned {
  dispose(): void;
}

/** Bytes that a model may hold beside three times its file: docs/formats/onnx.md, "What a model holds". */
const FREE_BYTES = 4 << 20;
/** Bytes counted for a block in linear memory beside what lies there: its owner's objects. */
const BLOCK_BYTES = 1024;

interface Packed {
  readonly resource: Owned;
  /** How many nodes use it. */
  uses: number;
}

/**
 * Packs what a model has at load: constants in the layouts of kernels, each once for all nodes that have it in the same layout. Its bytes
 * and those of the constants are counted; where they would be more than three times the file and 4 MiB, a node packs in each run.
 */
export class Packing {
  private _limit: number;
  private _held = 0;
  private readonly _packed = new Map<string, Packed>();
  /** Numbers for arrays, to make keys of. */
  private _numbers = new WeakMap<ValueData, number>();
  private _count = 0;
  private _sealed = false;

  constructor(fileBytes: number) {
    this._limit = 3 * fileBytes + FREE_BYTES;
  }

  /** Counts more bytes of the file, where they are not known before they are read. */
  grow(fileBytes: number): void {
    this._limit += 3 * fileBytes;
  }

  /** Counts a constant that was read or computed. */
  hold(data: ValueData): void {
    this._held += data.byteLength;
  }

  /** Uncounts a constant that nobody will read any more. */
  drop(data: ValueData): void {
    this._held -= data.byteLength;
  }

  /**
   * Packs `values`, unless another node has.
   * @param layout tells all that `make` does with them
   * @param own keeps the node's part of it until the model is disposed of
   * @returns undefined if there is no room
   */
  share<T extends Owned>(
    values: readonly (Value | undefined)[],
    layout: string,
    bytes: number,
    make: () => T,
    own: (part: Owned) => void,
  ): T | undefined {
    const key = `${layout} of ${values.map((value) => (value ? `${this._number(value.data)} [${value.dims}]` : 'none'))}`;
    let packed = this._packed.get(key);
    if (!packed) {
      const count = align(bytes) + BLOCK_BYTES;
      if (!(this._held + count <= this._limit)) return undefined;
      packed = { resource: make(), uses: 0 };
      this._held += count;
      this._packed.set(key, packed);
    }
    const shared = packed;
    shared.uses++;
    let done = false;
    own({
      dispose: () => {
        if (done) return;
        done = true;
        shared.uses--;
        if (this._sealed) this._release(shared);
      },
    });
    return shared.resource as T;
  }

  /** Drops what only nodes used that were computed at load; from then on the last user frees what it shares. */
  seal(): void {
    this._sealed = true;
    for (const packed of this._packed.values()) this._release(packed);
    this._packed.clear();
    this._numbers = new WeakMap();
  }

  private _release({ resource, uses }: Packed): void {
    if (uses === 0) resource.dispose();
  }

  private _number(data: ValueData): number {
    if (!this._numbers.has(data)) this._numbers.set(data, this._count++);
    return this._numbers.get(data)!;
  }
}
