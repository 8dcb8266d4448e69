import { strides } from '../graph/layout.ts';
import { integers } from '../memory/arena.ts';
import type { Operator } from './node.ts';
import { intVector } from './value.ts';

/** The index of the best element along an axis; the first or the last of several. */
function argument(isBetter: (x: number, best: number) => boolean): Operator {
  return {
    inputs: [1, 1],
    prepare(node) {
      const given = node.int('axis', 0);
      const keep = node.int('keepdims', 1) !== 0;
      const last = node.flag('select_last_index');
      return ([a], plan) => {
        const { dims, count } = a!;
        node.numbers('input', a!);
        if (dims.length === 0) {
          node.axis(given, 1);
          return [intVector([0]).withDims([])];
        }
        const axis = node.axis(given, dims.length);
        const length = dims[axis]!;
        const step = strides(dims)[axis]!;
        const kept = dims.with(axis, 1);
        const out = plan.make('int64', keep ? kept : dims.filter((_, i) => i !== axis), node.path);
        if (length === 0 && out.count) node.wrongShape('input', 'elements to compare', dims);
        plan.count(count, node.path);
        if (out.count === 0) return [out];
        plan.step([a, out], () => {
          const known = out.known ? new Int32Array(out.data.buffer) : undefined;
          return () => {
            const { data } = a!;
            const words = known ?? integers();
            let to = known ? 0 : out.storage.pointer / 4;
            for (let from = 0; from < count; from += (length - 1) * step) {
              for (const end = from + step; from < end; from++, to += 2) {
                let best = 0;
                for (let i = 1; i < length; i++) {
                  const x = data[from + i * step]! as number;
                  const top = data[from + best * step]! as number;
                  if (isBetter(x, top) || (last && x === top)) best = i;
                }
                // two words, since a bigint would be garbage
                words[to] = best;
                words[to + 1] = 0;
              }
            }
          };
        });
        return [out];
      };
    },
  };
}

// comparisons take bigints as well
export const argMax: Operator = /* @__PURE__ */ argument((x, best) => x > best);
export const argMin: Operator = /* @__PURE__ */ argument((x, best) => x < best);
