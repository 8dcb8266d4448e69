import { linear } from '../operators/products.ts';
import { activated, readActivation } from './activations.ts';
import type { Config } from './config.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { checkOutput, lastSize } from './shapes.ts';

/** Reads keras.layers.Dense. */
export function readDense(config: Config, name: string, dialect: Dialect): LayerPlan {
  const units = config.get('units').integer(1);
  const useBias = config.get('use_bias').boolean(true);
  const activation = readActivation(config.get('activation'), name, dialect);
  return {
    build([input], { graph, weights }) {
      const { shape, slot, mask } = input!;
      const output = checkOutput(name, [...shape.slice(0, -1), units]);
      const specs = [
        { name: 'kernel', dims: [lastSize(name, shape), units] },
        { name: 'bias', dims: [units] },
      ];
      const values = weights.read({ folder: '' }, specs.slice(0, useBias ? 2 : 1));
      return [{ slot: activated(graph, graph.node(linear, [slot, ...values]), activation), shape: output, mask }];
    },
  };
}
