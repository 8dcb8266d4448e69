import { formatDims } from '../base/tensor.ts';
import { Value } from '../graph/value.ts';
import { add, divided, maximum, mean, minimum, product as multiply, subtract } from '../operators/arithmetic.ts';
import type { Operator } from '../operators/node.ts';
import { matMul } from '../operators/products.ts';
import { reduceL2 } from '../operators/reduce.ts';
import { concat } from '../operators/slices.ts';
import { intVector } from '../operators/value.ts';
import type { Config, Shape } from './config.ts';
import type { KerasGraph, Tensor } from './graph.ts';
import { joinMasks, masksBeside } from './mask-steps.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { checkOutput, readAxis, refuseShapes } from './shapes.ts';

// Layers of several inputs.

/** Layers that compute each element from those at its place, and their operators. */
export const ELEMENTWISE: Readonly<Record<string, Operator>> = {
  Add: add,
  Subtract: subtract,
  Multiply: multiply,
  Average: mean,
  Maximum: maximum,
  Minimum: minimum,
  // of masks, numbers 0 and 1
  LogicalOr: maximum,
  LogicalAnd: minimum,
};

/** Reads a layer of ELEMENTWISE: inputs of fewer dimensions get some of size 1 behind that of samples, and are stretched. */
export function readElementwise(className: string, name: string, dialect: Dialect): LayerPlan {
  const operator = ELEMENTWISE[className]!;
  return {
    inputs: className === 'Subtract' ? [2] : 'several',
    build(inputs, { graph }) {
      const rank = Math.max(...inputs.map(({ shape }) => shape.length));
      const shape = inputs.map((input) => lift(input.shape, rank)).reduce((a, b) => stretch(name, a, b));
      const slots = inputs.map(({ slot, shape }) => {
        return shape.length === rank ? slot : graph.view(slot, (dims) => lift(dims, rank) as number[]);
      });
      const isMany = operator === mean || operator === maximum || operator === minimum;
      const made = isMany ? graph.node(operator, slots) : slots.reduce((a, b) => graph.node(operator, [a, b]));
      return [{ slot: made, shape: checkOutput(name, shape), mask: joinMasks(graph, inputs, dialect) }];
    },
  };
}

/** Puts dimensions of size 1 behind that of samples. */
function lift([batch, ...rest]: Shape, rank: number): Shape {
  return [batch!, ...Array<number>(rank - rest.length - 1).fill(1), ...rest];
}

function stretch(name: string, a: Shape, b: Shape): Shape {
  return a.map((size, i) => {
    const other = b[i]!;
    if (size === other || other === 1) return size;
    if (size === 1) return other;
    if (size === null || other === null) return i === 0 ? (size ?? other) : null;
    return refuseShapes(name, 'shapes that stretch to each other', a, b);
  });
}

/** Reads keras.layers.Concatenate: inputs one behind the other along an axis. */
export function readConcatenate(config: Config, name: string, dialect: Dialect): LayerPlan {
  return {
    inputs: 'several',
    build(inputs, { graph }) {
      const rank = inputs[0]!.shape.length;
      const field = config.get('axis');
      const axis = field.given ? readAxis(field, rank) : rank - 1;
      const shape = inputs.map((input) => input.shape).reduce((a, b) => append(name, a, b, axis));
      const made = graph.node(
        concat,
        inputs.map(({ slot }) => slot),
        { axis },
      );
      return [{ slot: made, shape: checkOutput(name, shape), mask: masksBeside(graph, inputs, axis, dialect) }];
    },
  };
}

function append(name: string, a: Shape, b: Shape, axis: number): Shape {
  const fits =
    a.length === b.length && a.every((size, i) => i === axis || size === null || b[i] === null || size === b[i]);
  if (!fits) refuseShapes(name, `shapes that are equal but for axis ${axis}`, a, b);
  return a.map((size, i) => {
    const other = b[i]!;
    if (i !== axis) return size ?? other;
    return size === null || other === null ? null : size + other;
  });
}

/** Reads keras.layers.Dot: sums of products along an axis of each of two inputs, sample by sample. */
export function readDot(config: Config, name: string, { tfjs }: Dialect): LayerPlan {
  const field = config.get('axes');
  const normalize = config.get('normalize').boolean(false);
  const least = Math.sqrt(tfjs ? 1e-7 : 1e-12);
  return {
    inputs: [2],
    build(inputs, { graph }) {
      const given = field.isArray ? field.items() : [field, field];
      if (given.length !== 2) field.refuse('wrong-value', 'one axis or two');
      const [a, b] = inputs.map(({ shape }, i) => {
        return readAxis(given[i]!, shape.length);
      }) as [number, number];
      const [x, y] = inputs as readonly [Tensor, Tensor];
      const [m, n] = [x.shape[a]!, y.shape[b]!];
      if (m !== null && n !== null && m !== n) {
        refuseShapes(name, `the same size along axes ${formatDims([a, b])}`, x.shape, y.shape);
      }
      const rest = [x.shape.toSpliced(a, 1), y.shape.toSpliced(b, 1).slice(1)] as const;
      const shape = [...rest[0], ...rest[1]];
      if (shape.length === 1) shape.push(1);
      // [B, M, K] times [B, K, N]
      const left = matrixOf(graph, normalize ? normalized(graph, x, a, least) : x, a, false);
      const right = matrixOf(graph, normalize ? normalized(graph, y, b, least) : y, b, true);
      const sums = graph.node(matMul, [left, right]);
      const made = graph.view(
        sums,
        ([batch], of, and) => {
          const dims = [batch!, ...of!.toSpliced(a, 1).slice(1), ...and!.toSpliced(b, 1).slice(1)];
          return dims.length === 1 ? [...dims, 1] : dims;
        },
        [x.slot, y.slot],
      );
      return [{ slot: made, shape: checkOutput(name, shape) }];
    },
  };
}

/** Lays out (B, *) as [B, M, K], or as [B, K, M], for the size K of `axis`. */
function matrixOf(graph: KerasGraph, { slot, shape }: Tensor, axis: number, isFirst: boolean): number {
  const rest = [...shape.keys()].filter((i) => i > 0 && i !== axis);
  const ordered = graph.permute(slot, isFirst ? [0, axis, ...rest] : [0, ...rest, axis]);
  const count = (dims: readonly number[]) => rest.reduce((product, i) => product * dims[i]!, 1);
  return graph.view(
    ordered,
    (_, dims) => (isFirst ? [dims![0]!, dims![axis]!, count(dims!)] : [dims![0]!, count(dims!), dims![axis]!]),
    [slot],
  );
}

/** Divides by the Euclidean norm along an axis, which counts as at least `least`. */
function normalized(graph: KerasGraph, { slot, shape }: Tensor, axis: number, least: number): Tensor {
  const norms = graph.node(reduceL2, [slot, intVector([axis])]);
  const lowest = Value.of('float32', [], Float32Array.of(least));
  return { slot: graph.node(divided, [slot, graph.node(maximum, [norms, lowest])]), shape };
}
