import type { Config } from './config.ts';
import type { Dialect, LayerCall, LayerPlan } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, describeShape } from './shapes.ts';

/** Reads keras.layers.TimeDistributed: a layer applied to each step, which is a sample of its own to it. */
export function readTimeDistributed(
  config: Config,
  name: string,
  dialect: Dialect,
  { node, inner }: LayerCall,
): LayerPlan | undefined {
  if (!inner) dialect.unsupported(`${name}, a TimeDistributed without a layer`);
  const plan = inner?.();
  if (!plan) return undefined;
  const { className } = node.inner!;
  if ((plan.outputs ?? 1) > 1) dialect.unsupported(`TimeDistributed of ${className} (${name}) with several outputs`);
  if (config.get('layer').get('config').get('stateful').value === true) {
    dialect.unsupported(`TimeDistributed of ${className} (${name}) that is stateful`);
  }
  return {
    build([input], building) {
      const { graph, weights } = building;
      const { shape, slot, mask } = input!;
      if (shape.length < 3 || shape.length > 8) {
        refuse('wrong-shape', name, `the input of ${name}`, '3 to 8 dimensions', describeShape(shape));
      }
      const steps = graph.view(slot, ([B, T, ...rest]) => [B! * T!, ...rest]);
      const each = { ...building, weights: weights.inside('layer'), masked: false };
      const [made] = plan.build([{ slot: steps, shape: [null, ...shape.slice(2)] }], each);
      const { shape: found } = made!;
      const output = checkOutput(name, [shape[0]!, shape[1]!, ...found.slice(1)]);
      const joined = graph.view(made!.slot, ([, ...rest], [B, T]) => [B!, T!, ...rest], [slot]);
      return [{ slot: joined, shape: output, mask }];
    },
  };
}
