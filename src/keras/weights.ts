import { describe, sameDims } from '../base/tensor.ts';
import { Value } from '../graph/value.ts';
import type { LayerNode } from './connections.ts';
import type { KerasGraph } from './graph.ts';
import type { WeightSource } from './named-weights.ts';
import type { LayerWeights, Part } from './plan.ts';
import { refuse } from './refuse.ts';
import { describeShape } from './shapes.ts';

/** Reads weights once, for all calls of a layer. */
export function sharedWeights(graph: KerasGraph, source: WeightSource): LayerWeights {
  const read = new Map<string, readonly Value<Float32Array>[]>();
  const inside = new Map<string, LayerWeights>();
  const layers = new Map<LayerNode, LayerWeights>();
  const made = new Map<string, unknown>();
  return {
    once<T>(key: string, make: () => T): T {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    },
    forget() {
      read.clear();
      made.clear();
      for (const own of [...inside.values(), ...layers.values()]) own.forget();
    },
    read(part, specs) {
      const key = keyOf(part);
      const known = read.get(key);
      if (known) {
        for (const [i, { name, dims, otherDims }] of specs.entries()) {
          const found = known[i]!.dims;
          if (sameDims(found, dims) || (otherDims && sameDims(found, otherDims))) continue;
          const what = `the weight ${describe(name)} in another call of its layer`;
          refuse('wrong-shape', name, what, describeShape(dims), describeShape(found));
        }
        return known;
      }
      const values = source.read(part, specs).map((data, i) => {
        const { dims, otherDims } = specs[i]!;
        const isOther = otherDims !== undefined && data.length !== dims.reduce((a, b) => a * b, 1);
        const value = Value.of('float32', isOther ? otherDims : dims, data);
        graph.hold(value);
        return value;
      });
      read.set(key, values);
      return values;
    },
    inside(folder) {
      const own = inside.get(folder) ?? sharedWeights(graph, source.inside(folder));
      inside.set(folder, own);
      return own;
    },
    ofLayer(node) {
      const own = layers.get(node) ?? sharedWeights(graph, source.ofLayer(node));
      layers.set(node, own);
      return own;
    },
  };
}

function keyOf({ direction, folder, cell }: Part): string {
  return `${direction ?? ''} ${cell?.index ?? ''} ${folder}`;
}
