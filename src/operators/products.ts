import { formatDims, product } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { broadcastDims, stretchedSteps, walk } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { CALL } from './costs.ts';
import { multiply, multiplyIntegers, type Place } from './matrix.ts';
import type { Operator, OperatorNode } from './node.ts';
import { isWorthPacking, type Matrix, PackedMatrix, packedBytes } from './packed-matrix.ts';
import { sameType } from './pairs.ts';
import { isFloat } from './value.ts';

// MatMul, Gemm and Conv. Constant matrices are packed when the model is loaded.

/** The last two axes of a value as a matrix [K][N], transposed if `turned`. */
function matrixOf(value: Value<Float32Array>, turned = false): Matrix {
  const [rows, columns] = value.dims.slice(-2) as [number, number];
  const matrix = { value, start: 0, K: rows, N: columns, kStep: columns, nStep: 1 };
  return turned ? { ...matrix, K: columns, N: rows, kStep: 1, nStep: columns } : matrix;
}

/** Packs input B if it is constant and worth it; the value itself is not kept then. */
function packB(node: OperatorNode, turned = false): PackedMatrix | undefined {
  const { form } = node;
  const value = node.constants[1];
  if (value?.dims.length !== 2 || !isFloat(value)) return undefined;
  const matrix = matrixOf(value, turned);
  if (!isWorthPacking(matrix)) return undefined;
  return node.pack([1], `matrix ${turned}`, packedBytes(matrix, form), () => {
    if (form !== FLOAT32) node.checkFinite('B', value);
    return new PackedMatrix(matrix, form);
  });
}

export const matMul: Operator = {
  inputs: [2, 2],
  prepare(node) {
    const packed = packB(node);
    return ([a, b], plan) => {
      if (packed) return [byMatrix(node, node.float32('A', a!), packed, plan)];
      sameType(node, a!, b!, ['float32', 'int64', 'int32']);
      if (isFloat(a!) && isFloat(b!) && b.dims.length === 2) return [byMatrix(node, a, matrixOf(b), plan)];
      return [batched(node, a!, b!, plan)];
    };
  },
};

/** MatMul by one matrix with a bias, which each sum begins with: no operator of ONNX, but a layer of other readers. */
export const linear: Operator = {
  inputs: [2, 3],
  prepare(node) {
    const packed = packB(node);
    return ([a, b, bias], plan) => {
      const matrix = packed ?? matrixOf(node.float32('B', b!));
      return [byMatrix(node, node.float32('A', a!), matrix, plan, bias && node.float32('bias', bias))];
    };
  },
};

/** The cost of a multiplication of bigints, in multiplications of floats. */
const BIGINTS = 64;

/** Multiplies all rows of `x` by one matrix. */
function byMatrix(
  node: OperatorNode,
  x: Value<Float32Array>,
  matrix: Matrix | PackedMatrix,
  plan: Builder,
  bias?: Value<Float32Array>,
): Value<Float32Array> {
  const { K, N } = matrix;
  if (x.dims.at(-1) !== K) node.wrongShape('A', `[..., ${K}] for B [${K}, ${N}]`, x.dims);
  const out = plan.make('float32', [...x.dims.slice(0, -1), N], node.path);
  const count = product(x.dims.slice(0, -1));
  plan.spend(count * K * N + (matrix instanceof PackedMatrix ? 0 : K * N), node.path);
  multiply(plan, { value: x, stride: K, count }, matrix, bias, 0, out, [{ x: 0, matrix: 0, out: 0 }]);
  return out;
}

/** Multiplies as numpy.matmul does: vectors count as matrices, and the axes before the last two are stretched. */
export function batched(node: OperatorNode, a: Value, b: Value, plan: Builder): Value {
  if (a.dims.length === 0 || b.dims.length === 0) {
    node.wrongShape('A and B', 'at least one axis', a.dims.length ? b.dims : a.dims);
  }
  const x = a.dims.length === 1 ? a.withDims([1, ...a.dims]) : a;
  const y = b.dims.length === 1 ? b.withDims([...b.dims, 1]) : b;
  const [M, K] = x.dims.slice(-2) as [number, number];
  const [depth, N] = y.dims.slice(-2) as [number, number];
  const xOuter = x.dims.slice(0, -2);
  const yOuter = y.dims.slice(0, -2);
  const outer = broadcastDims(xOuter, yOuter);
  if (K !== depth || !outer)
    return node.wrongShape('B', `dims that ${formatDims(a.dims)} can be multiplied with`, b.dims);
  const dims = [...outer, ...(a.dims.length === 1 ? [] : [M]), ...(b.dims.length === 1 ? [] : [N])];
  const out = plan.make(a.type, dims, node.path);
  plan.spend(product(outer) * ((M + 1) * K * N * (a.type === 'int64' ? BIGINTS : 1) + CALL), node.path);
  if (out.count === 0) return out;
  const places: Place[] = [];
  walk(outer, [stretchedSteps(xOuter, outer), stretchedSteps(yOuter, outer)], (i, j) => {
    places.push({ x: i * M * K, matrix: j * K * N, out: places.length * M * N });
  });
  if (isFloat(x) && isFloat(y) && isFloat(out)) {
    multiply(plan, { value: x, stride: K, count: M }, matrixOf(y), undefined, 0, out, places);
  } else {
    plan.step([x, y, out], () => () => {
      for (const place of places) {
        multiplyIntegers(x.data, place.x, M, K, N, y.data, place.matrix, out.data, place.out);
      }
    });
  }
  return out;
}

const gemm: Operator = {
  inputs: [2, 3],
  prepare(node) {
    const alpha = node.float('alpha', 1);
    const beta = node.float('beta', 1);
    const turnA = node.flag('transA');
    const turnB = node.flag('transB');
    const packed = packB(node, turnB);
    return ([a, b, c], plan) => {
      const given = node.float32('A', a!);
      if (given.dims.length !== 2) node.wrongShape('A', 'two axes', given.dims);
      if (b && b.dims.length !== 2) node.wrongShape('B', 'two axes', b.dims);
      if (turnA) plan.count(given.count, node.path);
      const x = turnA ? plan.permute(given, [1, 0]) : given;
      const matrix = packed ?? matrixOf(node.float32('B', b!), turnB);
      const y = byMatrix(node, x, matrix, plan);
      // with beta 0, C is not read, even if it is infinite or NaN, as in ONNX Runtime
      if (c && beta !== 0) addScaled(node, y, alpha, node.float32('C', c), beta, plan);
      else if (alpha !== 1) {
        plan.step([y], () => () => {
          const { data } = y;
          for (let i = 0; i < data.length; i++) data[i] = alpha * data[i]!;
        });
      }
      return [y];
    };
  },
};

/** y = alpha y + beta c, in place, rounded once. */
function addScaled(
  node: OperatorNode,
  y: Value<Float32Array>,
  alpha: number,
  c: Value<Float32Array>,
  beta: number,
  plan: Builder,
): void {
  if (broadcastDims(c.dims, y.dims)?.join() !== y.dims.join()) {
    node.wrongShape('C', `dims that stretch to ${formatDims(y.dims)}`, c.dims);
  }
  if (y.count === 0) return;
  const steps = stretchedSteps(c.dims, y.dims);
  plan.step([y, c], () => () => {
    const sums = y.data;
    const added = c.data;
    let at = 0;
    walk(y.dims, [steps], (i) => {
      sums[at] = alpha * sums[at]! + beta * added[i]!;
      at++;
    });
  });
}

export const PRODUCTS: readonly (readonly [string, Operator])[] = [
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['Conv', conv],
  ['ConvTranspose', convTranspose],
];
