import { align, endScratch, floats, integers } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { PANEL_BYTES, panelBytes, panelCount, writeFloats, writeParameter } from '../memory/pack.ts';
import { copyIn, copyOut, fill } from '../memory/rows.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { Resource } from '../nn/module.ts';
import { type Activation, SPARE_BYTES } from './activations.ts';
import type { CellOptions, CellResult, Cells, CellWeights, PaddedBatch } from './cells.ts';
import { onnxKernels } from './kernels.ts';

/** The bytes of the gate sums and inputs of a block of steps, about, so that they stay in the L2 cache. */
const BLOCK_BYTES = 1 << 17;
/** Words of Cell in assembly/onnx/cell.ts, and of each of the three activations after it. */
const CELL_WORDS = 4;
const ACTIVATION_WORDS = 3;

/** The pointers of one direction in linear memory. */
interface RareDirection {
  readonly ih: number;
  readonly hh: number;
  readonly bias: number;
  readonly cell: number;
}

/** Cells with any activations, peepholes, clip and coupled gates: products by gemm_f32, each row's gates by lstm_cell_f32. */
export class RareCells extends Resource implements Cells {
  private readonly _I: number;
  private readonly _H: number;
  private readonly _batchFirst: boolean;
  private readonly _directions: readonly RareDirection[];

  constructor(options: CellOptions) {
    super('LSTM');
    // before memory is allocated, since compiling the kernels may be forbidden
    onnxKernels();
    const { I, H, directions, functions, batchFirst } = options;
    this._I = I;
    this._H = H;
    this._batchFirst = batchFirst ?? false;
    try {
      this._directions = directions.map((weights, d) => {
        return this._write(weights, options, functions.slice(3 * d, 3 * d + 3));
      });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  private _write(
    { ih, hh, bias, peepholes }: CellWeights,
    { I, H, clip, inputForget }: CellOptions,
    functions: readonly Activation[],
  ): RareDirection {
    const rows = 4 * H;
    const sizes = [panelBytes(rows, I), panelBytes(rows, H), panelBytes(rows, 1), 12 * H].map(align);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const block = this.allocate(bytes + 4 * (CELL_WORDS + functions.length * ACTIVATION_WORDS));
    const atHh = block + sizes[0]!;
    const atBias = atHh + sizes[1]!;
    const atPeepholes = atBias + sizes[2]!;
    const cell = block + bytes;
    writeParameter({ name: '', dims: [rows, I], pointer: block, panels: {} }, ih);
    writeParameter({ name: '', dims: [rows, H], pointer: atHh, panels: {} }, hh);
    if (bias) {
      writeFloats(
        atBias,
        bias[0].map((value, i) => value + bias[1][i]!),
      );
    }
    if (peepholes) writeFloats(atPeepholes, peepholes);
    integers().set([H, peepholes ? atPeepholes : 0, 0, Number(inputForget ?? false)], cell / 4);
    floats()[cell / 4 + 2] = clip ?? Number.POSITIVE_INFINITY;
    for (const [k, { kind, alpha, beta }] of functions.entries()) {
      const word = cell / 4 + CELL_WORDS + k * ACTIVATION_WORDS;
      integers()[word] = kind;
      floats().set([alpha, beta], word + 1);
    }
    return { ih: block, hh: atHh, bias: atBias, cell };
  }

  run(sequences: PaddedBatch, traces?: Float32Array[]): CellResult {
    this.checkAlive();
    const { T, batch } = sequences;
    const D = this._directions.length;
    const H = this._H;
    const states: CellResult = {
      y: new Float32Array(T * batch * D * H),
      h: new Float32Array(D * batch * H),
      c: new Float32Array(D * batch * H),
    };
    for (const [d, direction] of this._directions.entries()) {
      const own = traces && Array.from({ length: 6 }, () => new Float32Array(T * batch * H));
      this._runDirection(d, direction, sequences, states, own);
      traces?.push(...own!);
    }
    endScratch();
    return states;
  }

  private _runDirection(
    d: number,
    direction: RareDirection,
    sequences: PaddedBatch,
    states: CellResult,
    traces: readonly Float32Array[] | undefined,
  ): void {
    const { x, T, batch, lengths, h0, c0 } = sequences;
    const I = this._I;
    const H = this._H;
    const D = this._directions.length;
    const panels = panelCount(4 * H);
    const zStride = PANEL_BYTES * panels;
    const steps = Math.min(T, Math.max(1, Math.floor(BLOCK_BYTES / (batch * (zStride + 4 * I)))));
    const layout = new Layout();
    const places = {
      h: layout.output(batch * H),
      c: layout.output(batch * H),
      z: layout.line(steps * batch * zStride),
      input: layout.floats(steps * batch * I),
      spare: layout.line(SPARE_BYTES),
      call: layout.line(PRODUCT_BYTES),
    };
    const start = layout.scratch();
    const [h, c, z, input, spare, call] = Object.values(places).map((place) => start + place) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const memory = floats();
    const firstState = d * batch * H;
    if (h0) copyIn(h, h0, firstState, batch * H);
    else fill(h, batch * H, 0);
    if (c0) copyIn(c, c0, firstState, batch * H);
    else fill(c, batch * H, 0);
    const { multiply } = wasm();
    const { lstm_cell_f32 } = onnxKernels();
    const product = new Product();
    product.panels = panels;
    product.zStride = zStride;

    /** Gives the row of x and y for row b of a step; the second direction starts at the end of each sequence. */
    const rowOf = (t: number, b: number): number => {
      const length = lengths?.[b] ?? T;
      const step = d && t < length ? length - 1 - t : t;
      return this._batchFirst ? b * T + step : step * batch + b;
    };
    for (let first = 0; first < T; first += steps) {
      const end = Math.min(first + steps, T);
      let to = input / 4;
      for (let t = first; t < end; t++) {
        for (let b = 0; b < batch; b++) {
          const from = rowOf(t, b) * I;
          for (let i = from; i < from + I; i++) memory[to++] = x[i]!;
        }
      }
      // z = bias + W x for all steps of the block
      Object.assign(product, {
        w: direction.ih,
        x: input,
        xStride: 4 * I,
        K: I,
        init: direction.bias,
        initStride: 0,
        z,
      });
      product.rows = (end - first) * batch;
      multiply(product.write(call));
      // then z += R h for each step
      Object.assign(product, { w: direction.hh, x: h, xStride: 4 * H, K: H, initStride: zStride, rows: batch });
      for (let t = first; t < end; t++) {
        let row = z + (t - first) * batch * zStride;
        product.init = product.z = row;
        multiply(product.write(call));
        for (let b = 0; b < batch; b++, row += zStride) {
          if (lengths && t >= lengths[b]!) continue;
          const at = h + 4 * b * H;
          lstm_cell_f32(direction.cell, row, c + 4 * b * H, at, spare);
          const out = rowOf(t, b) * H;
          const outY = D * out + d * H;
          for (let i = 0; i < H; i++) states.y[outY + i] = memory[at / 4 + i]!;
          if (!traces) continue;
          // the kernel leaves the four gates one after the other
          const places = [0, 1, 2, 3].map((k) => row + 4 * k * H);
          for (const [k, place] of [...places, c + 4 * b * H, at].entries()) copyOut(place, H, traces[k]!, out);
        }
      }
    }
    copyOut(h, batch * H, states.h, firstState);
    copyOut(c, batch * H, states.c, firstState);
  }
}
