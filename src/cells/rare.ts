import { align, endScratch, floats, integers } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { PANEL_BYTES, panelBytes, writeFloats, writeParameter } from '../memory/pack.ts';
import { copyIn, copyOut, fill } from '../memory/rows.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { Resource } from '../nn/module.ts';
import { type Activation, SPARE_BYTES } from './activations.ts';
import {
  CELLS,
  type CellName,
  type CellOptions,
  type CellResult,
  type Cells,
  type CellWeights,
  type PaddedBatch,
} from './cells.ts';
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
  /** The recurrent bias of n, where it is not added to the other */
  readonly ownBias: number;
  readonly cell: number;
}

/**
 * Cells with any activations, peepholes, clip and coupled gates, and those of GRU and RNN: products by gemm_f32, each row's gates by
 * the kernels of cells.
 */
export class RareCells extends Resource implements Cells {
  private readonly _cell: CellName;
  private readonly _resetAfter: boolean;
  private readonly _I: number;
  private readonly _H: number;
  private readonly _batchFirst: boolean;
  private readonly _directions: readonly RareDirection[];

  constructor(options: CellOptions) {
    super(options.cell ?? 'LSTM');
    // before memory is allocated, since compiling the kernels may be forbidden
    onnxKernels();
    const { cell = 'LSTM', I, H, directions, functions, batchFirst, resetAfter } = options;
    const count = CELLS[cell].functions;
    this._cell = cell;
    this._resetAfter = resetAfter ?? false;
    this._I = I;
    this._H = H;
    this._batchFirst = batchFirst ?? false;
    try {
      this._directions = directions.map((weights, d) => {
        return this._write(weights, options, functions.slice(count * d, count * (d + 1)));
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
    const rows = CELLS[this._cell].gates * H;
    // the gates of a GRU lie in panels of their own
    const parts = this._cell === 'GRU' ? 3 : 1;
    const panels = (K: number) => parts * panelBytes(rows / parts, K);
    const sizes = [panels(I), panels(H), panels(1), this._resetAfter ? panels(1) : 0, peepholes ? 12 * H : 0].map(
      align,
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const block = this.allocate(bytes + 4 * (CELL_WORDS + functions.length * ACTIVATION_WORDS));
    const atHh = block + sizes[0]!;
    const atBias = atHh + sizes[1]!;
    const atOwnBias = atBias + sizes[2]!;
    const atPeepholes = atOwnBias + sizes[3]!;
    const cell = block + bytes;
    const write = (pointer: number, K: number, values: Float32Array) =>
      writeParameter({ name: '', dims: [rows, K], pointer, panels: { parts } }, values);
    write(block, I, ih);
    write(atHh, H, hh);
    if (bias) {
      const isOwn = (i: number) => this._resetAfter && i >= 2 * H;
      write(
        atBias,
        1,
        bias[0].map((value, i) => (isOwn(i) ? value : value + bias[1][i]!)),
      );
      if (this._resetAfter) write(atOwnBias, 1, bias[1]);
    }
    if (peepholes) writeFloats(atPeepholes, peepholes);
    integers().set([H, peepholes ? atPeepholes : 0, 0, Number(inputForget ?? false)], cell / 4);
    floats()[cell / 4 + 2] = clip ?? Number.POSITIVE_INFINITY;
    for (const [k, { kind, alpha, beta }] of functions.entries()) {
      const word = cell / 4 + CELL_WORDS + k * ACTIVATION_WORDS;
      integers()[word] = kind;
      floats().set([alpha, beta], word + 1);
    }
    return { ih: block, hh: atHh, bias: atBias, ownBias: atOwnBias + 2 * panelBytes(H, 1), cell };
  }

  run(sequences: PaddedBatch, traces?: Float32Array[]): CellResult {
    this.checkAlive();
    const { T, batch } = sequences;
    const D = this._directions.length;
    const H = this._H;
    const states: CellResult = {
      y: new Float32Array(T * batch * D * H),
      h: new Float32Array(D * batch * H),
      c: new Float32Array(this._cell === 'LSTM' ? D * batch * H : 0),
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
    const isGru = this._cell === 'GRU';
    /** The bytes of the sums of a gate of a GRU. */
    const gap = panelBytes(H, 1);
    const zStride = isGru ? 3 * gap : panelBytes(CELLS[this._cell].gates * H, 1);
    const steps = Math.min(T, Math.max(1, Math.floor(BLOCK_BYTES / (batch * (zStride + 4 * I)))));
    const layout = new Layout();
    const places = {
      h: layout.output(batch * H),
      c: layout.output(batch * H),
      z: layout.line(steps * batch * zStride),
      input: layout.floats(steps * batch * I),
      spare: layout.line(SPARE_BYTES),
      call: layout.line(PRODUCT_BYTES),
      reset: layout.floats(isGru ? batch * H : 0),
      s: layout.line(isGru ? batch * gap : 0),
    };
    const start = layout.scratch();
    const at = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, start + place]));
    const { h, c, z, input, spare, call, reset, s } = at as typeof places;
    const memory = floats();
    const firstState = d * batch * H;
    if (h0) copyIn(h, h0, firstState, batch * H);
    else fill(h, batch * H, 0);
    if (c0) copyIn(c, c0, firstState, batch * H);
    else fill(c, batch * H, 0);
    const { multiply } = wasm();
    const { lstm_cell_f32, gru_gates_f32, gru_state_f32, rnn_cell_f32 } = onnxKernels();
    const { cell } = direction;
    const product = new Product();
    const multiplyWith = (fields: Partial<Product>): void => multiply(Object.assign(product, fields).write(call));
    const panels = zStride / PANEL_BYTES;
    const isActive = (t: number, b: number): boolean => !lengths || t < lengths[b]!;
    /** The second product of a GRU: of h with a bias of its own, or of r h to be added to the sums of n. */
    const second = this._resetAfter
      ? { x: h, init: direction.ownBias, initStride: 0, z: s, zStride: gap }
      : { x: reset };
    const multiplyReset = (t: number, row: number): void => {
      for (let b = 0; b < batch; b++) {
        if (isActive(t, b)) gru_gates_f32(cell, row + b * zStride, gap, h + 4 * b * H, reset + 4 * b * H, spare);
      }
      const sums = row + 2 * gap;
      const w = direction.hh + 2 * panelBytes(H, H);
      multiplyWith({ w, init: sums, z: sums, panels: gap / PANEL_BYTES, ...second });
    };
    /** Computes row b of a step from its sums. */
    const advance = (row: number, b: number, at: number): void => {
      if (isGru) gru_state_f32(cell, row, gap, this._resetAfter ? s + b * gap : 0, at, spare);
      else if (this._cell === 'RNN') rnn_cell_f32(cell, row, at, spare);
      else lstm_cell_f32(cell, row, c + 4 * b * H, at, spare);
    };

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
      const rows = (end - first) * batch;
      const init = direction.bias;
      multiplyWith({ w: direction.ih, x: input, xStride: 4 * I, K: I, init, initStride: 0, z, zStride, rows, panels });
      // then z += R h for each step
      for (let t = first; t < end; t++) {
        let row = z + (t - first) * batch * zStride;
        multiplyWith({
          w: direction.hh,
          x: h,
          xStride: 4 * H,
          K: H,
          init: row,
          initStride: zStride,
          z: row,
          zStride,
          rows: batch,
          panels: isGru ? (2 * gap) / PANEL_BYTES : panels,
        });
        if (isGru) multiplyReset(t, row);
        for (let b = 0; b < batch; b++, row += zStride) {
          if (!isActive(t, b)) continue;
          const at = h + 4 * b * H;
          advance(row, b, at);
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
    if (states.c.length) copyOut(c, batch * H, states.c, firstState);
  }
}
