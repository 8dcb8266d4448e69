import { wrongValue } from '../base/tensor.ts';
import { gather } from '../operators/slices.ts';
import type { Config } from './config.ts';
import { elementwise } from './graph.ts';
import type { LayerPlan } from './plan.ts';
import { checkOutput } from './shapes.ts';

/** Reads keras.layers.Embedding: rows by number; with mask_zero a 0 is a masked step. */
export function readEmbedding(config: Config, name: string): LayerPlan {
  // numbers beyond 2^24 are not exact in float32
  const count = config.get('input_dim').integer(1, 2 ** 24);
  const size = config.get('output_dim').integer(1);
  const maskZero = config.get('mask_zero').boolean(false);
  return {
    build([input], { graph, weights }) {
      const { shape, slot } = input!;
      const output = checkOutput(name, [...shape, size]);
      const [table] = weights.read({ folder: '' }, [{ name: 'embeddings', dims: [count, size] }]);
      const indices = graph.step([slot], elementwise(graph.path, 'int32', indexOf(name, count)))[0]!;
      const isMask = maskZero && shape.length === 2;
      const mask = isMask ? graph.step([slot], elementwise(graph.path, 'bool', isNotZero))[0] : undefined;
      return [{ slot: graph.node(gather, [table, indices]), shape: output, mask }];
    },
  };
}

const isNotZero = (x: number): number => (x === 0 ? 0 : 1);

/** Checks a number of a row. */
function indexOf(name: string, count: number): (index: number) => number {
  return (index) => {
    if (Number.isInteger(index) && index >= 0 && index < count) return index;
    throw wrongValue(name, 'input', `integers from 0 to ${count - 1}`, index);
  };
}
