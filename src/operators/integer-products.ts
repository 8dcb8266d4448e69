import { formatDims, product } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { Value } from '../graph/value.ts';
import { int8Form } from '../memory/int8.ts';
import { castTo } from './cast.ts';
import { conv } from './conv.ts';
import { multiply } from './matrix.ts';
import type { Operator, OperatorNode } from './node.ts';
import { type Matrix, PackedMatrix, packedBytes } from './packed-matrix.ts';
import type { Owned } from './packing.ts';
import { batched } from './products.ts';
import { checkBytes, quantizeByRange, unitsOf } from './quantize.ts';
import { NOT_ONE_OR_TWO } from './windows.ts';

// Products of 8-bit integers less their zero points.

/** The depth of a product whose sums are exact in float32: 512 * 255 * 128 < 2^24. */
const DEPTH = 512;
/** The kernel rounds the largest number of a row to this; a row that has it keeps its integers. */
const LARGEST = 8191;

/** Sizes of the parts of a matrix [K][N] of 8 bits: each has one row of zeros more. */
function partsOf(value: Value): Matrix[] {
  const [K, N] = value.dims as [number, number];
  return Array.from({ length: Math.ceil(K / DEPTH) }, (_, i) => ({
    ...{ value: value as Value<never>, start: i * DEPTH * N, K: Math.min(DEPTH, K - i * DEPTH) + 1 },
    ...{ N, kStep: N, nStep: 1 },
  }));
}

/** A constant matrix [K][N] of 8-bit integers less 128 if they are uint8, in parts that are DEPTH deep. */
class PackedIntegers implements Owned {
  readonly K: number;
  readonly N: number;
  readonly base: number;
  readonly parts: PackedMatrix[] = [];

  constructor(value: Value) {
    const [K, N] = value.dims as [number, number];
    this.K = K;
    this.N = N;
    this.base = value.type === 'uint8' ? 128 : 0;
    const scale = new Float32Array(N).fill(1);
    try {
      for (const part of partsOf(value)) {
        const data = new Int8Array(N * part.K);
        for (let n = 0; n < N; n++) {
          for (let k = 0; k < part.K - 1; k++) {
            data[n * part.K + k] = Number(value.data[part.start + k * N + n]) - this.base;
          }
        }
        this.parts.push(new PackedMatrix(part, int8Form(), { data, scale }));
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }
}

/** Packs input B if it is constant. */
function packB(node: OperatorNode): PackedIntegers | undefined {
  const value = node.constants[1];
  if (value?.dims.length !== 2 || value.count === 0) return undefined;
  checkBytes(node, 'B', value);
  const bytes = partsOf(value).reduce((sum, part) => sum + packedBytes(part, int8Form()), 0);
  return node.pack([1], 'integers', bytes, () => new PackedIntegers(value));
}

/** Adds the step out = a B, from B's parts. */
function multiplyParts(
  node: OperatorNode,
  a: Value,
  aZero: Value | undefined,
  { K, N, base, parts }: PackedIntegers,
  bZero: Value | undefined,
  plan: Builder,
): Value {
  if (a.dims.at(-1) !== K) node.wrongShape('A', `[..., ${K}] for B [${K}, ${N}]`, a.dims);
  const dims = [...a.dims.slice(0, -1), N];
  const out = plan.make('int32', dims, node.path);
  const count = out.count / N;
  plan.count(a.count, node.path);
  plan.spend(count * K * N, node.path);
  const aUnit = unitsOf(node, 'zero point of A', a.dims, aZero, -2);
  const bUnit = unitsOf(node, 'zero point of B', dims, bZero, -1);
  if (out.count === 0) return out;
  for (const [i, part] of parts.entries()) {
    const x = plan.scratch(count * part.K);
    const z = plan.scratch(out.count);
    plan.step([a, aZero, x], () => () => {
      const [from, zeros, to] = [a.data, aZero?.data, x.data];
      for (let row = 0, at = 0; row < count; row++) {
        const start = row * K + i * DEPTH;
        const zero = Number(zeros?.[aUnit(row * K)] ?? 0);
        for (let k = 0; k < part.K - 1; k++) to[at++] = Number(from[start + k]) - zero;
        to[at++] = LARGEST;
      }
    });
    multiply(plan, { value: x, stride: part.K, count }, part, undefined, 0, z, [{ x: 0, matrix: 0, out: 0 }]);
    plan.step([x, z, bZero, out], () => () => {
      const [terms, sums, zeros, to] = [x.data, z.data, bZero?.data, out.data];
      for (let row = 0, at = 0; row < count; row++) {
        let sum = -LARGEST;
        for (let k = 0; k < part.K; k++) sum += terms[row * part.K + k]!;
        for (let n = 0; n < N; n++, at++) {
          to[at] = (i ? to[at]! : 0) + sums[at]! + sum * (base - Number(zeros?.[bUnit(n)] ?? 0));
        }
      }
    });
  }
  return out;
}

/** Subtracts zero points. */
function centred(
  node: OperatorNode,
  what: string,
  value: Value,
  zero: Value | undefined,
  axis: number,
  type: 'int32' | 'float32',
  plan: Pick<Builder, 'makeLike' | 'step'>,
): Value {
  checkBytes(node, what, value, zero);
  const at = unitsOf(node, `zero point of ${what}`, value.dims, zero, axis);
  const out = plan.makeLike(type, value, node.path);
  plan.step([value, zero, out], () => () => {
    const [from, zeros, to] = [value.data, zero?.data, out.data];
    for (let i = 0; i < to.length; i++) to[i] = Number(from[i]) - Number(zeros?.[at(i)] ?? 0);
  });
  return out;
}

/** Where a node has its inputs; -1 for those that it never has. */
interface Places {
  readonly aScale: number;
  readonly aZero: number;
  readonly bScale: number;
  readonly bZero: number;
  readonly bias: number;
}

/** An operator that multiplies; with `dynamic` it quantizes A first, with scales its result is floats. */
function integerProduct(
  inputs: Operator['inputs'],
  { aScale, aZero, bScale, bZero, bias }: Places,
  dynamic = false,
): Operator {
  return {
    inputs,
    since: 10,
    prepare(node) {
      const packed = packB(node);
      return (given, plan) => {
        const b = given[1];
        const [a, unit, zero] = dynamic
          ? quantizeByRange(node, node.float32('A', given[0]!), plan)
          : [given[0]!, given[aScale], given[aZero]];
        checkBytes(node, 'A', a, zero);
        const less = (what: string, value: Value, by: Value | undefined, axis: number) =>
          centred(node, what, value, by, axis, 'int32', plan);
        const sums = packed
          ? multiplyParts(node, a, zero, packed, given[bZero], plan)
          : batched(node, less('A', a, zero, -2), less('B', b!, given[bZero], -1), plan);
        const scale = given[bScale];
        if (!scale) return [sums];
        const [units, by] = [node.float32('scale of A', unit!), node.float32('scale of B', scale)];
        const added = given[bias] && node.float32('bias', given[bias]);
        const { dims } = sums;
        const at = unitsOf(node, 'scale of B', dims, by, -1);
        const N = dims.at(-1)!;
        if (units.count !== 1) node.wrongShape('scale of A', 'one element', units.dims);
        if (added && added.count !== N) node.wrongShape('bias', formatDims([N]), added.dims);
        const out = plan.make('float32', dims, node.path);
        plan.step([sums, units, by, added, out], () => () => {
          const [from, scales, more, to] = [sums.data as Int32Array, by.data, added?.data, out.data];
          const first = units.data[0]!;
          for (let i = 0; i < to.length; i++) {
            to[i] = from[i]! * Math.fround(first * scales[at(i)]!) + (more?.[i % N] ?? 0);
          }
        });
        return [out];
      };
    },
  };
}

/** Its sums are float32: exact up to 2^24, and as near as float32 beyond. */
const convInteger: Operator = {
  inputs: [2, 4],
  since: 10,
  takesTurned: true,
  limits: NOT_ONE_OR_TWO,
  prepare(node) {
    const [, w, , wZero] = node.constants;
    // known weights become floats once
    const now = {
      makeLike: (_: string, { dims, count }: Value) => Value.of('float32', dims, new Float32Array(count)) as never,
      step: (_: unknown, bind: () => () => void) => bind()(),
    };
    const isKnown = w && (wZero || !node.present[3]);
    const known = isKnown ? centred(node, 'w', w, wZero, 0, 'float32', now) : undefined;
    const floats = node.withInputs([undefined, known], [true, true]);
    const lower = conv.prepare(floats);
    if (known && !floats.constants[1]) node.constants[1] = undefined;
    return ([x, weights, xZero, zero], plan) => {
      if (xZero && product(xZero.dims) !== 1) node.wrongShape('zero point of x', 'one element', xZero.dims);
      const input = centred(node, 'x', x!, xZero, 1, 'float32', plan);
      const kernel = weights && (floats.constants[1] ?? centred(node, 'w', weights, zero, 0, 'float32', plan));
      return lower([input, kernel], plan).map((sums) => castTo('int32', sums, plan, node.path));
    };
  },
};

export const INTEGER_PRODUCTS: readonly (readonly [string, Operator])[] = [
  ['MatMulInteger', integerProduct([2, 4], { aScale: -1, aZero: 2, bScale: -1, bZero: 3, bias: -1 })],
  ['ConvInteger', convInteger],
  ['com.microsoft.MatMulIntegerToFloat', integerProduct([4, 7], { aScale: 2, bScale: 3, aZero: 4, bZero: 5, bias: 6 })],
  [
    'com.microsoft.DynamicQuantizeMatMul',
    integerProduct([3, 5], { aScale: -1, aZero: -1, bScale: 2, bZero: 3, bias: 4 }, true),
  ],
];
