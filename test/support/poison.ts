import { Builder } from '../../src/graph/builder.ts';
import type { Storage } from '../../src/graph/value.ts';
import { floats } from '../../src/memory/arena.ts';

/**
 * Notes where the plans that are made from now on keep what a run computes, so that it can be filled with NaN between runs: a step
 * that reads what the run has not written shows.
 */
export function watchPlans(): { poison(): void; forget(): void; stop(): void } {
  const { bind, keep } = Builder.prototype;
  const kept = new WeakSet<Storage>();
  const ranges: { pointer: number; bytes: number }[] = [];
  Builder.prototype.keep = function (bytes) {
    const value = keep.call(this, bytes);
    kept.add(value.storage);
    return value;
  };
  Builder.prototype.bind = function (inputs, outputs) {
    const bound = bind.call(this, inputs, outputs);
    const {
      _drafts: drafts,
      _constants: constants,
      _residents: residents,
    } = this as unknown as {
      _drafts: readonly { storages: readonly Storage[] }[];
      _constants: ReadonlyMap<unknown, Storage>;
      _residents: { _storages: ReadonlyMap<unknown, Storage> } | undefined;
    };
    const fixed = new Set([...constants.values(), ...(residents?._storages.values() ?? [])]);
    for (const root of new Set(drafts.flatMap(({ storages }) => storages))) {
      if (!kept.has(root) && !fixed.has(root)) ranges.push({ pointer: root.pointer, bytes: root.bytes });
    }
    return bound;
  };
  return {
    poison() {
      for (const { pointer, bytes } of ranges) floats().fill(Number.NaN, pointer / 4, (pointer + bytes) / 4);
    },
    // the memory of plans that are disposed of belongs to others
    forget() {
      ranges.length = 0;
    },
    stop() {
      Object.assign(Builder.prototype, { bind, keep });
    },
  };
}
