import type { TensorLike } from '../base/tensor.ts';
import { align, floats, integers, scratch } from '../memory/arena.ts';
import { panelBytes, panelCount, writeFloats, writeParameter } from '../memory/pack.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { LSTM } from '../nn/lstm.ts';
import { Resource } from '../nn/module.ts';
import { packPaddedSequence, padPackedSequence } from '../nn/packed.ts';
import type { Activation } from './activations.ts';
import { onnxKernels } from './kernels.ts';

/** Weights of an LSTM node as ONNX has them: gates in the order i, o, f, c. */
export interface Weights {
  /** [D][4H][I], [D][4H][H], [D][8H], [D][3H] */
  readonly W: Float32Array;
  readonly R: Float32Array;
  readonly B: Float32Array | undefined;
  readonly P: Float32Array | undefined;
  readonly I: number;
  readonly H: number;
  readonly D: number;
}

/** Sequences that start at the first step; each at least one step long, and none longer than T. */
export interface Sequences {
  /** [T][batch][I] */
  readonly x: Float32Array;
  readonly T: number;
  readonly batch: number;
  /** undefined: all are T long */
  readonly lengths: readonly number[] | undefined;
  /** [D][batch][H], or zeros */
  readonly h0: Float32Array | undefined;
  readonly c0: Float32Array | undefined;
}

export interface States {
  /** [T][batch][D][H], zeros after the end of a sequence */
  readonly y: Float32Array;
  /** [D][batch][H] */
  readonly h: Float32Array;
  readonly c: Float32Array;
}

/** What runs the directions of a node; the second starts at the end of each sequence. */
export interface Cells {
  run(sequences: Sequences): States;
  dispose(): void;
}

/** Where blocks i, f, g, o of H rows are among ONNX's. */
const ORDER = [0, 2, 3, 1];

function reorder(values: Float32Array, from: number, block: number): Float32Array {
  const out = new Float32Array(4 * block);
  for (const [to, at] of ORDER.entries()) {
    out.set(values.subarray(from + at * block, from + (at + 1) * block), to * block);
  }
  return out;
}

/** The state dict of the nn.LSTM with these weights. */
export function toStateDict({ W, R, B, I, H, D }: Weights): Map<string, TensorLike> {
  const dict = new Map<string, TensorLike>();
  for (let d = 0; d < D; d++) {
    const suffix = d ? '_l0_reverse' : '_l0';
    dict.set(`weight_ih${suffix}`, { data: reorder(W, d * 4 * H * I, H * I), dims: [4 * H, I] });
    dict.set(`weight_hh${suffix}`, { data: reorder(R, d * 4 * H * H, H * H), dims: [4 * H, H] });
    if (!B) continue;
    dict.set(`bias_ih${suffix}`, { data: reorder(B, d * 8 * H, H), dims: [4 * H] });
    dict.set(`bias_hh${suffix}`, { data: reorder(B, (d * 8 + 4) * H, H), dims: [4 * H] });
  }
  return dict;
}

/** Sigmoid, tanh, tanh and nothing else: nn.LSTM. */
export class StandardCells implements Cells {
  readonly lstm: LSTM;

  constructor(weights: Weights) {
    this.lstm = LSTM.fromStateDict(toStateDict(weights));
  }

  run({ x, T, batch, lengths, h0, c0 }: Sequences): States {
    const { inputSize, hiddenSize, sizes } = this.lstm;
    const dims = [sizes.directions, batch, hiddenSize];
    const state = (data: Float32Array | undefined) => ({
      data: data ?? new Float32Array(sizes.directions * batch * hiddenSize),
      dims,
    });
    const input = { data: x, dims: [T, batch, inputSize] };
    const start = h0 || c0 ? { h0: state(h0), c0: state(c0) } : undefined;
    if (!lengths) {
      const { output, hn, cn } = this.lstm.forward(input, start);
      return { y: output.data, h: hn.data, c: cn.data };
    }
    const packed = packPaddedSequence(input, lengths, { enforceSorted: false });
    const { output, hn, cn } = this.lstm.forward(packed, start);
    return { y: padPackedSequence(output, { totalLength: T }).output.data, h: hn.data, c: cn.data };
  }

  dispose(): void {
    this.lstm.dispose();
  }
}

/** Bytes of one function for the kernel. */
const FUNCTION_WORDS = 3;

interface Direction {
  readonly W: number;
  readonly R: number;
  readonly bias: number;
  readonly peepholes: number;
  readonly functions: number;
}

/** Every other cell: products by gemm_f32, gates by lstm_cell_f32, a call a step and row. */
export class RareCells extends Resource implements Cells {
  private readonly _I: number;
  private readonly _H: number;
  private readonly _clip: number;
  private readonly _inputForget: boolean;
  private readonly _directions: Direction[] = [];

  constructor(weights: Weights, functions: readonly Activation[], clip: number | undefined, inputForget: boolean) {
    super('onnx');
    const { W, R, B, P, I, H, D } = weights;
    this._I = I;
    this._H = H;
    this._clip = clip ?? Number.POSITIVE_INFINITY;
    this._inputForget = inputForget;
    const rows = 4 * H;
    const sizes = [panelBytes(rows, I), panelBytes(rows, H), panelBytes(rows, 1), 12 * H, 12 * FUNCTION_WORDS].map(
      align,
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const block = this.own(D * bytes);
    for (let d = 0; d < D; d++) {
      let at = block + d * bytes;
      const [w, r, bias, peepholes, list] = sizes.map((size) => {
        at += size;
        return at - size;
      }) as [number, number, number, number, number];
      const part = (values: Float32Array, count: number) => values.subarray(d * count, (d + 1) * count);
      writeParameter({ name: '', dims: [rows, I], pointer: w, gates: 0 }, part(W, rows * I));
      writeParameter({ name: '', dims: [rows, H], pointer: r, gates: 0 }, part(R, rows * H));
      if (B) {
        writeFloats(
          bias,
          part(B, 8 * H)
            .slice(0, rows)
            .map((value, i) => value + B[(d * 8 + 4) * H + i]!),
        );
      }
      if (P) writeFloats(peepholes, part(P, 3 * H));
      for (const [i, { kind, alpha, beta }] of functions.slice(3 * d, 3 * d + 3).entries()) {
        const word = list / 4 + i * FUNCTION_WORDS;
        integers()[word] = kind;
        floats().set([alpha, beta], word + 1);
      }
      this._directions.push({ W: w, R: r, bias, peepholes: P ? peepholes : 0, functions: list });
    }
  }

  run(sequences: Sequences): States {
    this.checkAlive();
    const { T, batch, lengths } = sequences;
    const D = this._directions.length;
    const H = this._H;
    const states: States = {
      y: new Float32Array(T * batch * D * H),
      h: new Float32Array(D * batch * H),
      c: new Float32Array(D * batch * H),
    };
    for (const [d, direction] of this._directions.entries()) {
      this._run(sequences, states, d, direction, lengths ?? Array(batch).fill(T));
    }
    return states;
  }

  private _run(
    { x, T, batch, h0, c0 }: Sequences,
    states: States,
    d: number,
    direction: Direction,
    lengths: readonly number[],
  ): void {
    const I = this._I;
    const H = this._H;
    const D = this._directions.length;
    const panels = panelCount(4 * H);
    const zStride = 64 * panels;
    const stateBytes = align(4 * batch * H);
    const z = scratch(batch * zStride + 2 * stateBytes + align(4 * batch * I) + PRODUCT_BYTES);
    const h = z + batch * zStride;
    const c = h + stateBytes;
    const input = c + stateBytes;
    const memory = floats();
    const first = d * batch * H;
    for (const [pointer, state] of [
      [h, h0],
      [c, c0],
    ] as const) {
      if (state) memory.set(state.subarray(first, first + batch * H), pointer / 4);
      else memory.fill(0, pointer / 4, pointer / 4 + batch * H);
    }
    const call = input + align(4 * batch * I);
    const product = new Product();
    product.z = z;
    product.zStride = zStride;
    product.rows = batch;
    product.panels = panels;
    const multiply = (w: number, x: number, K: number, init: number, initStride: number): void => {
      product.w = w;
      product.x = x;
      product.xStride = 4 * K;
      product.K = K;
      product.init = init;
      product.initStride = initStride;
      wasm().multiply(product.write(call));
    };
    const { lstm_cell_f32 } = onnxKernels();
    for (let t = 0; t < T; t++) {
      for (const [b, length] of lengths.entries()) {
        const row = (stepOf(d, t, length) * batch + b) * I;
        memory.set(x.subarray(row, row + I), input / 4 + b * I);
      }
      multiply(direction.W, input, I, direction.bias, 0);
      multiply(direction.R, h, H, z, zStride);
      for (const [b, length] of lengths.entries()) {
        if (t >= length) continue;
        const at = h + 4 * b * H;
        const rest = [H, direction.peepholes, this._clip, Number(this._inputForget), direction.functions] as const;
        lstm_cell_f32(z + b * zStride, c + 4 * b * H, at, ...rest);
        states.y.set(memory.subarray(at / 4, at / 4 + H), ((stepOf(d, t, length) * batch + b) * D + d) * H);
      }
    }
    states.h.set(memory.subarray(h / 4, h / 4 + batch * H), first);
    states.c.set(memory.subarray(c / 4, c / 4 + batch * H), first);
  }
}

/** The second direction starts at the end; what is after the end of a sequence is not used. */
function stepOf(direction: number, t: number, length: number): number {
  return direction && t < length ? length - 1 - t : t;
}
