import { describe, formatDims, product } from '../base/tensor.ts';
import { broadcastDims, permute, stretchedSteps, walk } from './layout.ts';
import { isWorthPacking, type Matrix, multiplyFloats, multiplyIntegers, PackedMatrix, packedBytes } from './matrix.ts';
import type { Operator, OperatorNode } from './node.ts';
import { sameType } from './pairs.ts';
import { isFloat, type RunValue, type Work } from './value.ts';

// MatMul, Gemm and Conv. Constant matrices are packed when the model is loaded.

/** The last two axes of a value as a matrix [K][N], transposed if `turned`. */
function matrixOf({ data, dims }: RunValue<Float32Array>, start = 0, turned = false): Matrix {
  const [rows, columns] = dims.slice(-2) as [number, number];
  const matrix = { data, start, K: rows, N: columns, kStep: columns, nStep: 1 };
  return turned ? { ...matrix, K: columns, N: rows, kStep: 1, nStep: columns } : matrix;
}

/** Packs input `index` if it is constant and worth it; the value itself is not kept then. */
function packInput(node: OperatorNode, index: number, turned = false): PackedMatrix | undefined {
  const value = node.constants[index];
  if (value?.dims.length !== 2 || !isFloat(value)) return undefined;
  const matrix = matrixOf(value, 0, turned);
  if (!isWorthPacking(matrix)) return undefined;
  return node.pack([index], `matrix ${turned}`, packedBytes(matrix), () => new PackedMatrix(matrix));
}

const matMul: Operator = {
  inputs: [2, 2],
  prepare(node) {
    const packed = packInput(node, 1);
    return ([a, b], work) => {
      if (packed) return [byMatrix(node, node.float32('A', a!), packed, work)];
      sameType(node, a!, b!, ['float32', 'int64', 'int32']);
      if (isFloat(a!) && isFloat(b!) && b.dims.length === 2) return [byMatrix(node, a, matrixOf(b), work)];
      return [batched(node, a!, b!, work)];
    };
  },
};

/** The fixed cost of a call of multiplyFloats(), in multiplications. */
const CALL = 1024;
/** The cost of a multiplication of bigints, in multiplications of floats. */
const BIGINTS = 64;

/** Multiplies all rows of `x` by one matrix. */
function byMatrix(node: OperatorNode, x: RunValue<Float32Array>, matrix: Matrix | PackedMatrix, work: Work): RunValue {
  const { K, N } = matrix;
  if (x.dims.at(-1) !== K) node.wrongShape('A', `[..., ${K}] for B [${K}, ${N}]`, x.dims);
  const out = work.make('float32', [...x.dims.slice(0, -1), N], node.path);
  const rows = product(x.dims.slice(0, -1));
  work.spend(rows * K * N + (matrix instanceof PackedMatrix ? 0 : K * N), node.path);
  if (out.data.length) multiplyFloats(x.data, 0, rows, matrix, undefined, out.data, 0);
  return out;
}

/** Multiplies as numpy.matmul does: vectors count as matrices, and the axes before the last two are stretched. */
function batched(node: OperatorNode, a: RunValue, b: RunValue, work: Work): RunValue {
  if (a.dims.length === 0 || b.dims.length === 0) {
    node.wrongShape('A and B', 'at least one axis', a.dims.length ? b.dims : a.dims);
  }
  const x = a.dims.length === 1 ? { ...a, dims: [1, ...a.dims] } : a;
  const y = b.dims.length === 1 ? { ...b, dims: [...b.dims, 1] } : b;
  const [M, K] = x.dims.slice(-2) as [number, number];
  const [depth, N] = y.dims.slice(-2) as [number, number];
  const xOuter = x.dims.slice(0, -2);
  const yOuter = y.dims.slice(0, -2);
  const outer = broadcastDims(xOuter, yOuter);
  if (K !== depth || !outer)
    return node.wrongShape('B', `dims that ${formatDims(a.dims)} can be multiplied with`, b.dims);
  const dims = [...outer, ...(a.dims.length === 1 ? [] : [M]), ...(b.dims.length === 1 ? [] : [N])];
  const out = work.make(a.type, dims, node.path);
  work.spend(product(outer) * ((M + 1) * K * N * (isFloat(a) ? 1 : BIGINTS) + CALL), node.path);
  let at = 0;
  if (out.data.length) {
    walk(outer, [stretchedSteps(xOuter, outer), stretchedSteps(yOuter, outer)], (i, j) => {
      if (isFloat(x) && isFloat(y) && isFloat(out)) {
        multiplyFloats(x.data, i * M * K, M, matrixOf(y, j * K * N), undefined, out.data, at);
      } else multiplyIntegers(x.data, i * M * K, M, K, N, y.data, j * K * N, out.data, at);
      at += M * N;
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
    const packed = packInput(node, 1, turnB);
    return ([a, b, c], work) => {
      const given = node.float32('A', a!);
      if (given.dims.length !== 2) node.wrongShape('A', 'two axes', given.dims);
      if (b && b.dims.length !== 2) node.wrongShape('B', 'two axes', b.dims);
      if (turnA) work.count(given.data.length, node.path);
      const x = turnA ? permute(given, [1, 0]) : given;
      const matrix = packed ?? matrixOf(node.float32('B', b!), 0, turnB);
      const y = byMatrix(node, x, matrix, work);
      // with beta 0, C is not read, even if it is infinite or NaN, as in ONNX Runtime
      if (c && beta !== 0) addScaled(node, y as RunValue<Float32Array>, alpha, node.float32('C', c), beta);
      else if (alpha !== 1) for (let i = 0; i < y.data.length; i++) y.data[i] = alpha * (y.data[i] as number);
      return [y];
    };
  },
};

/** y = alpha y + beta c, in place, rounded once. */
function addScaled(
  node: OperatorNode,
  y: RunValue<Float32Array>,
  alpha: number,
  c: RunValue<Float32Array>,
  beta: number,
): void {
  if (broadcastDims(c.dims, y.dims)?.join() !== y.dims.join()) {
    node.wrongShape('C', `dims that stretch to ${formatDims(y.dims)}`, c.dims);
  }
  let at = 0;
  if (y.data.length === 0) return;
  walk(y.dims, [stretchedSteps(c.dims, y.dims)], (i) => {
    y.data[at] = alpha * y.data[at]! + beta * c.data[i]!;
    at++;
  });
}

/** The attributes of a Conv of one spatial axis. */
interface ConvSettings {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly group: number;
  /** Zeros before and after an input of a length. */
  readonly pads: (length: number) => readonly [number, number];
}

const conv: Operator = {
  inputs: [2, 3],
  limits: 'more or less than one spatial axis',
  prepare(node) {
    const weight = node.constants[1];
    const settings = weight && readConv(node, weight.dims);
    const fixed = weight && fixGroups(node, node.float32('W', weight), settings!);
    const dims = weight?.dims;
    return ([x, w, b], work) => {
      const wDims = dims ?? w!.dims;
      const used = settings ?? readConv(node, wDims);
      const groups = fixed ?? groupsOf(node.float32('W', w!), used.group);
      return [convolve(node, node.float32('X', x!), wDims, groups, used, b && node.float32('B', b), work)];
    };
  },
};

const AUTO_PADS = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'];

function readConv(node: OperatorNode, dims: readonly number[]): ConvSettings {
  if (dims.length !== 3) node.wrongShape('W', '[M, C / group, kernel] for one spatial axis', dims);
  const one = (name: string, least: number): number => {
    const [value = 1, ...more] = node.ints(name) ?? [];
    if (more.length || !(value >= least && value < 2 ** 31)) {
      node.wrongAttribute(name, 'one size', value);
    }
    return value;
  };
  const kernel = dims[2]!;
  if (kernel === 0) node.wrongShape('W', 'a kernel', dims);
  if (node.has('kernel_shape') && one('kernel_shape', 1) !== kernel) {
    node.wrongAttribute('kernel_shape', kernel, node.ints('kernel_shape'));
  }
  const stride = one('strides', 1);
  const dilation = one('dilations', 1);
  const group = node.int('group', 1);
  // 0 has every divisor: without channels a group of 1 is left
  if (!(group > 0 && group <= Math.max(1, dims[0]!)) || dims[0]! % group !== 0) {
    node.wrongAttribute(`group of ${dims[0]} channels`, 'a divisor', group);
  }
  const auto = node.string('auto_pad', 'NOTSET');
  const [before = 0, after = 0, ...more] = node.ints('pads') ?? [];
  if (more.length || !(before >= 0 && after >= 0 && before < 2 ** 31 && after < 2 ** 31)) {
    node.wrongAttribute('pads', 'two sizes', node.ints('pads'));
  }
  if (!AUTO_PADS.includes(auto)) {
    const reason = `attribute auto_pad expected ${AUTO_PADS.join(', ')}, got ${describe(auto)}`;
    node.wrongBecause('wrong-attribute', reason, 'NOTSET', auto);
  }
  const pads = (length: number): readonly [number, number] => {
    if (auto === 'NOTSET') return [before, after];
    if (auto === 'VALID') return [0, 0];
    const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + (kernel - 1) * dilation + 1 - length);
    const half = Math.floor(total / 2);
    return auto === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
  };
  return { kernel, stride, dilation, group, pads };
}

/** Gives the weights of a group as a matrix [C / group * kernel][M / group], in place. Groups may be many: no list of them is made. */
type Groups = (g: number) => Matrix | PackedMatrix;

function groupsOf({ data, dims }: RunValue<Float32Array>, group: number): (g: number) => Matrix {
  const N = dims[0]! / group;
  const K = dims[1]! * dims[2]!;
  return (g) => ({ data, start: g * N * K, K, N, kStep: 1, nStep: K });
}

/** Packs constant weights, unless the groups are many or narrow: each takes a block of memory. */
function fixGroups(node: OperatorNode, weight: RunValue<Float32Array>, { group }: ConvSettings): Groups | undefined {
  const groups = groupsOf(weight, group);
  if (group > 64 || isDepthwise(weight.dims, group) || !isWorthPacking(groups(0))) return undefined;
  const bytes = group * packedBytes(groups(0));
  const packed = node.pack([1], `${group} groups`, bytes, () => {
    const matrices = Array.from({ length: group }, (_, g) => new PackedMatrix(groups(g)));
    return { matrices, dispose: () => matrices.forEach((matrix) => void matrix.dispose()) };
  });
  return packed ? (g) => packed.matrices[g]! : undefined;
}

/** Whether each channel has a kernel of its own. */
function isDepthwise([M, inChannels]: readonly number[], group: number): boolean {
  return M === group && inChannels === 1;
}

/** The most floats of windows that are laid out as rows at once. */
const BLOCK_FLOATS = 1 << 16;

function convolve(
  node: OperatorNode,
  x: RunValue<Float32Array>,
  [M = 0, inChannels = 0]: readonly number[],
  matrixOfGroup: Groups,
  { kernel, stride, dilation, group, pads }: ConvSettings,
  bias: RunValue<Float32Array> | undefined,
  work: Work,
): RunValue {
  const [batch, channels, length] = x.dims as [number, number, number];
  if (x.dims.length !== 3 || channels !== inChannels * group) {
    node.wrongShape('X', `[batch, ${inChannels * group}, length]`, x.dims);
  }
  if (bias && (bias.dims.length !== 1 || bias.dims[0] !== M)) node.wrongShape('B', `[${M}]`, bias.dims);
  const [before, after] = pads(length);
  const positions = Math.floor((length + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
  if (!(positions >= 0)) node.wrongShape('X', `at least ${(kernel - 1) * dilation + 1} steps with their pads`, x.dims);
  const out = work.make('float32', [batch, M, positions], node.path);
  if (out.data.length === 0) return out;
  const K = inChannels * kernel;
  const N = M / group;
  work.spend(batch * (positions * (M + group) * K + group * CALL), node.path);
  if (isDepthwise([M, inChannels], group)) {
    for (let row = 0; row < batch * M; row++) {
      // fixGroups() packs no depthwise weights
      const { data, start } = matrixOfGroup(row % M) as Matrix;
      const from = row * length;
      for (let p = 0; p < positions; p++) {
        let sum = bias ? bias.data[row % M]! : 0;
        for (let k = 0, i = p * stride - before; k < kernel; k++, i += dilation) {
          sum += data[start + k]! * (i >= 0 && i < length ? x.data[from + i]! : 0);
        }
        out.data[row * positions + p] = sum;
      }
    }
    return out;
  }
  const block = Math.max(1, Math.min(positions, Math.floor(BLOCK_FLOATS / Math.max(K, N))));
  const windows = new Float32Array(block * K);
  const sums = new Float32Array(block * N);
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < group; g++) {
      const from = (b * channels + g * inChannels) * length;
      const matrix = matrixOfGroup(g);
      for (let first = 0; first < positions; first += block) {
        const count = Math.min(block, positions - first);
        let at = 0;
        for (let p = first; p < first + count; p++) {
          for (let c = 0; c < inChannels; c++) {
            const row = from + c * length;
            for (let k = 0, i = p * stride - before; k < kernel; k++, i += dilation) {
              windows[at++] = i >= 0 && i < length ? x.data[row + i]! : 0;
            }
          }
        }
        multiplyFloats(windows, 0, count, matrix, bias?.data.subarray(g * N, (g + 1) * N), sums, 0);
        const to = (b * M + g * N) * positions + first;
        for (let p = 0; p < count; p++) {
          for (let n = 0; n < N; n++) out.data[to + n * positions + p] = sums[p * N + n]!;
        }
      }
    }
  }
  return out;
}

export const PRODUCTS: readonly (readonly [string, Operator])[] = [
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['Conv', conv],
];
