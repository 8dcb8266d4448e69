import { Resource } from '../nn/module.ts';
import type { ValueData } from './types.ts';
import { NO_SOURCES, Storage, type Value } from './value.ts';

/** Constants of a graph in linear memory, copied there when a plan first needs them, and shared by all of its plans. */
export class Residents extends Resource {
  private readonly _constants: ReadonlySet<ValueData>;
  private readonly _storages = new Map<ValueData, Storage>();

  /** @param constants elements that do not change as long as the graph lives */
  constructor(constants: ReadonlySet<ValueData>) {
    super('graph');
    this._constants = constants;
  }

  /**
   * Gives the place of a value's elements; undefined if they are no constants of the graph.
   * @throws RangeError if linear memory cannot hold them
   */
  find({ type, storage }: Value): Storage | undefined {
    const { data, bytes } = storage;
    if (!this._constants.has(data)) return undefined;
    let copy = this._storages.get(data);
    if (!copy) {
      copy = Storage.planned(type, storage.count, NO_SOURCES);
      copy.place(this.allocate(bytes));
      (copy.data as Float32Array).set(data as Float32Array);
      this._storages.set(data, copy);
    }
    return copy;
  }
}
