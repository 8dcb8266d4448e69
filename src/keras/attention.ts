import { activation } from '../cells/activations.ts';
import type { Value } from '../graph/value.ts';
import { add, minimum, product as multiply } from '../operators/arithmetic.ts';
import type { Lower } from '../operators/node.ts';
import { matMul } from '../operators/products.ts';
import { reduceSum, softmaxOperator } from '../operators/reduce.ts';
import { intVector } from '../operators/value.ts';
import { MASKED } from './activation-layers.ts';
import { activated } from './activations.ts';
import type { Config, Shape } from './config.ts';
import type { KerasGraph, Tensor } from './graph.ts';
import { maskNumbers } from './mask-steps.ts';
import type { Dialect, LayerPlan, LayerWeights } from './plan.ts';
import { checkOutput, checkRank, lastSize, refuseShapes } from './shapes.ts';

const TANH = activation('tanh');

/** Adds the scores (B, Tq, Tv) of a query and a key. */
type Scores = (graph: KerasGraph, query: Tensor, key: Tensor, weights: LayerWeights) => number;

/** Reads keras.layers.Attention: scores are products, or sums of tanh(query + key). */
export function readAttention(config: Config, name: string, dialect: Dialect): LayerPlan {
  const useScale = config.get('use_scale').boolean(false);
  const mode = config.get('score_mode');
  const isConcat = mode.value === 'concat';
  if (mode.given && !isConcat && mode.value !== 'dot') dialect.unsupported(`score_mode of ${name}`);
  return planAttention(name, (graph, query, key, weights) => {
    const names = [...(useScale ? ['scale'] : []), ...(isConcat ? ['concat_score_weight'] : [])];
    const values = weights.read(
      { folder: '' },
      names.map((name) => ({ name, dims: [] })),
    );
    const scale = useScale ? values[0] : undefined;
    const scaled = (slot: number) => (scale ? graph.node(multiply, [slot, scale]) : slot);
    if (!isConcat) return scaled(graph.node(matMul, [query.slot, graph.permute(key.slot, [0, 2, 1])]));
    const sums = sumLast(graph, activated(graph, scaled(addPairs(graph, query, key)), TANH));
    return graph.node(multiply, [sums, values.at(-1)]);
  });
}

/** Reads keras.layers.AdditiveAttention: scores are sums of scale tanh(query + key). */
export function readAdditiveAttention(config: Config, name: string): LayerPlan {
  const useScale = config.get('use_scale').boolean(true);
  return planAttention(name, (graph, query, key, weights) => {
    const parts = activated(graph, addPairs(graph, query, key), TANH);
    if (!useScale) return sumLast(graph, parts);
    const [scale] = weights.read({ folder: '' }, [{ name: 'scale', dims: [lastSize(name, query.shape)] }]);
    return sumLast(graph, graph.node(multiply, [parts, scale]));
  });
}

/** Adds each query to each key: (B, Tq, Tv, n). */
function addPairs(graph: KerasGraph, query: Tensor, key: Tensor): number {
  const queries = graph.view(query.slot, ([B, T, n]) => [B!, T!, 1, n!]);
  const keys = graph.view(key.slot, ([B, T, n]) => [B!, 1, T!, n!]);
  return graph.node(add, [queries, keys]);
}

function sumLast(graph: KerasGraph, slot: number): number {
  return graph.node(reduceSum, [slot, intVector([-1])], { keepdims: 0 });
}

/** Inputs: query (B, Tq, n), value (B, Tv, m) and, if it is another, key (B, Tv, n). */
function planAttention(name: string, scoresOf: Scores): LayerPlan {
  return {
    inputs: [2, 3],
    takesCausal: true,
    build([query, value, key = value], { graph, weights, causal }) {
      for (const { shape } of [query!, value!, key!]) checkRank(name, shape, 3);
      checkSizes(name, query!.shape, key!.shape, 2);
      checkSizes(name, key!.shape, value!.shape, 1);
      const scores = scoresOf(graph, query!, key!, weights);
      const { mask } = value!;
      const bias: number[] = [];
      if (mask !== undefined) {
        bias.push(graph.view(maskNumbers(graph, mask, 0, MASKED), ([B, T]) => [B!, 1, T!]));
      }
      if (causal) bias.push(graph.step([scores], later(graph.path))[0]!);
      const all = bias.length > 1 ? graph.node(minimum, bias) : bias[0];
      const masked = all === undefined ? scores : graph.node(add, [scores, all]);
      const shares = graph.node(softmaxOperator, [masked], { axis: -1 });
      const sums = graph.node(matMul, [shares, value!.slot]);
      const shape = checkOutput(name, [query!.shape[0]!, query!.shape[1]!, value!.shape[2]!]);
      if (query!.mask === undefined) return [{ slot: sums, shape }];
      const kept = graph.view(maskNumbers(graph, query!.mask, 1, 0), ([B, T]) => [B!, T!, 1]);
      return [{ slot: graph.node(multiply, [sums, kept]), shape, mask: query!.mask }];
    },
  };
}

function checkSizes(name: string, a: Shape, b: Shape, axis: number): void {
  if (a[axis] === null || b[axis] === null || a[axis] === b[axis]) return;
  refuseShapes(name, `the same size along axis ${axis}`, a, b);
}

/** Makes numbers to add to scores (B, Tq, Tv): query i looks at no value behind it. */
function later(path: string): Lower {
  return ([scores], plan) => {
    const [, Tq, Tv] = scores!.dims as [number, number, number];
    const out: Value<Float32Array> = plan.make('float32', [1, Tq, Tv], path);
    plan.step([out], () => () => {
      const to = out.data;
      for (let i = 0, at = 0; i < Tq; i++) for (let j = 0; j < Tv; j++) to[at++] = j > i ? MASKED : 0;
    });
    return [out];
  };
}
