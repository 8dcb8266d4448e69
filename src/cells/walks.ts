import { integers } from '../memory/arena.ts';

// The arguments of the kernels that walk along axes of tensors, and the numbers of their operators. Structs are 32-bit words in
// linear memory, in the order of the fields in assembly/onnx/. Pointers are in bytes, steps along axes in words of 32 bits.

// sizes of structs, beside their classes: a bundler leaves out a class that nothing uses only if it has no static field
export const LAYER_NORM_BYTES = 4 * 10;
export const DEPTHWISE_BYTES = 4 * 12;

/** The operators of binary_f32; prelu is x, below 0 x y. */
export const BINARY = { add: 0, sub: 1, mul: 2, div: 3, min: 4, max: 5, pow: 6, prelu: 7 } as const;

/** The operators of unary_f32. */
export const UNARY = {
  neg: 0,
  abs: 1,
  /** Math.max(0, x) */
  relu: 2,
  sqrt: 3,
  floor: 4,
  ceil: 5,
  /** x, below 0 alpha x */
  leakyRelu: 6,
  square: 7,
  reciprocal: 8,
  exp: 9,
  log: 10,
  sigmoid: 11,
  tanh: 12,
  /** To the nearest integer, of two to the even one */
  round: 13,
  sign: 14,
  erf: 15,
  sin: 16,
  cos: 17,
} as const;

/** The operators of reduce_f32. */
export const REDUCE = {
  sum: 0,
  mean: 1,
  max: 2,
  min: 3,
  prod: 4,
  l1: 5,
  l2: 6,
  sumSquare: 7,
  /** ln of the sum */
  logSum: 8,
  /** ln of the sum of e^x */
  logSumExp: 9,
} as const;

/**
 * Lists size and steps of each axis, the outermost first, without axes of size 1. Neighbouring axes along which every operand moves
 * on evenly are one. If any axis is empty, an empty one is left.
 */
function merge(dims: readonly number[], steps: readonly (readonly number[])[]): number[][] {
  if (dims.includes(0)) return [[0, ...steps.map(() => 0)]];
  const axes: number[][] = [];
  for (let i = dims.length - 1; i >= 0; i--) {
    const size = dims[i]!;
    if (size === 1) continue;
    const inner = axes[0];
    if (inner && steps.every((list, k) => list[i] === inner[0]! * inner[k + 1]!)) inner[0]! *= size;
    else axes.unshift([size, ...steps.map((list) => list[i]!)]);
  }
  return axes;
}

export function write(pointer: number, fields: readonly number[], axes: readonly (readonly number[])[]): number {
  const words = integers();
  let at = pointer / 4;
  for (const field of fields) words[at++] = field;
  for (const axis of axes) for (const word of axis) words[at++] = word;
  return pointer;
}

/** A copy by copy_view; View in assembly/onnx/view.ts documents the fields. */
export class View {
  src = 0;
  dst = 0;
  private readonly _run: number;
  private readonly _axes: readonly (readonly number[])[];

  /** @param dims the sizes of the axes, with the steps of both sides along each; a step may be 0 or less. */
  constructor(dims: readonly number[], srcSteps: readonly number[], dstSteps: readonly number[]) {
    const axes = merge(dims, [srcSteps, dstSteps]);
    const inner = axes.at(-1);
    this._run = inner?.[1] === 1 && inner[2] === 1 ? axes.pop()![0]! : 1;
    // the order of copying is free: neighbours in src and neighbours in dst, side by side, are transposed in blocks
    const place = ([, srcStep, dstStep]: readonly number[]) => (dstStep === 1 ? 2 : srcStep === 1 ? 1 : 0);
    this._axes = axes.sort((a, b) => place(a) - place(b));
  }

  /** The size of the struct. */
  get bytes(): number {
    return 16 + 12 * this._axes.length;
  }

  /** Whether the words lie next to each other on both sides, so that one run is copied. */
  get isOneRun(): boolean {
    return this._axes.length === 0;
  }

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    return write(pointer, [this.src, this.dst, this._axes.length, this._run], this._axes);
  }
}

/** The operands of binary_f32; Pairs in assembly/onnx/binary.ts documents the fields. */
export class Pairs {
  x = 0;
  y = 0;
  out = 0;
  private readonly _axes: readonly (readonly number[])[];

  /** @param dims the sizes of the result's axes, with the steps of both inputs along each, 0 where one is stretched. */
  constructor(dims: readonly number[], xSteps: readonly number[], ySteps: readonly number[]) {
    this._axes = merge(dims, [xSteps, ySteps]);
  }

  /** The size of the struct. */
  get bytes(): number {
    return 16 + 12 * this._axes.length;
  }

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    return write(pointer, [this.x, this.y, this.out, this._axes.length], this._axes);
  }
}

/** A layer normalisation by layer_norm_f32; LayerNorm in assembly/onnx/normalize.ts documents the fields. */
export class LayerNorm {
  x = 0;
  scale = 0;
  /** In bytes, as biasStride */
  scaleStride = 0;
  bias = 0;
  biasStride = 0;
  out = 0;
  rows = 0;
  n = 0;
  means = 0;
  inverses = 0;

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    const { x, scale, scaleStride, bias, biasStride, out, rows, n, means, inverses } = this;
    return write(pointer, [x, scale, scaleStride, bias, biasStride, out, rows, n, means, inverses], []);
  }
}

/** A convolution by depthwise_f32; Depthwise in assembly/onnx/depthwise.ts documents the fields. */
export class Depthwise {
  x = 0;
  w = 0;
  bias = 0;
  out = 0;
  batch = 0;
  channels = 0;
  length = 0;
  positions = 0;
  kernel = 0;
  stride = 1;
  dilation = 1;
  before = 0;

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    const { x, w, bias, out, batch, channels, length, positions, kernel, stride, dilation, before } = this;
    return write(pointer, [x, w, bias, out, batch, channels, length, positions, kernel, stride, dilation, before], []);
  }
}
