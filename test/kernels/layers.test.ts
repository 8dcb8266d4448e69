import { describe, test } from 'vitest';
import { FLOAT32 } from '../../src/memory/abi.ts';
import { type Buffer, buffer, type Cell, run } from '../support/canaries.ts';
import { gateRow, kernels, LANES, PANEL, product, runOf, TILE_ROWS } from '../support/kernels.ts';
import { type Matrix, type State, sequence } from '../support/oracle.ts';
import { panels } from '../support/panels.ts';
import { near, numbers, random, same, sweep, upTo } from '../support/sweep.ts';

describe('lstm_run', () => {
  interface Shape {
    I: number;
    H: number;
    P: number;
    L: number;
    D: number;
  }

  /** One layer in one direction, in panels. */
  interface Weights {
    readonly inputs: number;
    readonly buffers: Readonly<Record<'ih' | 'hh' | 'hr' | 'bias' | 'hrBias', Buffer>>;
  }

  /** Outputs of every step, and the last states of every layer and direction. */
  interface Rows {
    readonly output: readonly (readonly number[])[];
    readonly states: readonly State[];
  }

  const outputs = ({ H, P }: Shape) => P || H;

  /** Every layer and direction in panels, and in `matrices` under PyTorch's names. */
  function weights(shape: Shape, matrices: Map<string, Matrix>): Weights[] {
    const { I, H, P, L, D } = shape;
    const rowOf = (column: number) => gateRow(column, H);
    const projectionRow = (column: number) => (column < P ? column : undefined);
    const matrix = (name: string, count: number, rows: number, K: number, row: (column: number) => Cell) => {
      const data = numbers(rows * K, 0.75).map(Math.fround);
      if (rows) matrices.set(name, { data, dims: [rows, K] });
      const cells = panels(count, K, (column, k) => {
        const r = row(column);
        return r === undefined ? undefined : data[r * K + k]!;
      });
      return buffer('in', count * K, PANEL, cells);
    };
    return upTo(L * D - 1, 0).map((k) => {
      const layer = Math.floor(k / D);
      const suffix = `_l${layer}${k % D ? '_reverse' : ''}`;
      const inputs = layer ? D * outputs(shape) : I;
      const gates = Math.ceil(H / LANES);
      const projections = Math.ceil(P / PANEL);
      return {
        inputs,
        buffers: {
          ih: matrix(`weight_ih${suffix}`, gates, 4 * H, inputs, rowOf),
          hh: matrix(`weight_hh${suffix}`, gates, 4 * H, outputs(shape), rowOf),
          hr: matrix(`weight_hr${suffix}`, projections, P, H, projectionRow),
          bias: matrix(`bias_ih${suffix}`, gates, 4 * H, 1, rowOf),
          hrBias: buffer('in', projections, PANEL, new Array<number>(projections * PANEL).fill(0)),
        },
      };
    });
  }

  /** One step of one row from the kernels tested above. */
  function step({ H, P }: Shape, { inputs, buffers }: Weights, x: readonly number[], { h, c }: State): State {
    const gates = Math.ceil(H / LANES);
    const result = run(
      {
        ...buffers,
        x: buffer('in', 1, inputs, x),
        z: buffer('scratch', gates, PANEL),
        full: buffer('scratch', 1, P ? H : 0),
        projected: buffer('scratch', Math.ceil(P / PANEL), PANEL),
        h: buffer('out', 1, h.length, h),
        c: buffer('out', 1, H, c),
      },
      (at) => {
        kernels.gemv_f32(at.ih, at.x, inputs, at.bias, at.z, gates);
        kernels.gemv_f32(at.hh, at.h, h.length, at.z, at.z, gates);
        kernels.lstm_gates_f32(at.z, at.c, P ? at.full : at.h, P ? at.full : at.h, H);
        if (!P) return;
        const projection = { w: at.hr, x: at.full, K: H, init: at.hrBias, z: at.projected, rows: 1 };
        kernels.linear(product({ ...projection, panels: Math.ceil(P / PANEL) }), at.h, P);
      },
    );
    return { h: [...result.h], c: [...result.c] };
  }

  /** One row alone through all layers, step by step. */
  function rowAlone(shape: Shape, all: readonly Weights[], x: readonly number[][], states: readonly State[]): Rows {
    let input = x;
    const last: State[] = [];
    for (let layer = 0; layer < shape.L; layer++) {
      const output = x.map((): number[] => []);
      for (let d = 0; d < shape.D; d++) {
        let state = states[last.length]!;
        for (const t of d ? [...x.keys()].reverse() : x.keys()) {
          state = step(shape, all[last.length]!, input[t]!, state);
          output[t]!.push(...state.h);
        }
        last.push(state);
      }
      input = output;
    }
    return { output: input, states: last };
  }

  const PRODUCT_WORDS = 12;

  /** The words of a Product in a model, 0 where steps fill them in; assembly/product.ts has the order of fields. */
  const constantFields = (w: number, K: number, init: number, initStride: number, panels: number) => [
    ...[w, 0, 4 * K, K],
    ...[init, initStride, 0, 4 * PANEL * panels],
    ...[0, panels, FLOAT32, 0],
  ];

  /** The buffers of a model for lstm_run: Model in assembly/model.ts, then the products of each layer and direction. */
  function model({ H, P, D }: Shape, all: readonly Weights[]): Record<string, Buffer> {
    const named = all.flatMap(({ buffers }, k) => Object.entries(buffers).map(([name, b]) => [name + k, b] as const));
    const gates = Math.ceil(H / LANES);
    const words = (at: Readonly<Record<string, number>>) => [
      // the last word is a cell of lstm-gru.wasm
      ...[H, P, D, 0],
      ...all.flatMap(({ inputs }, k) => {
        const pointer = (name: string) => at[name + k]!;
        return [
          ...constantFields(pointer('ih'), inputs, pointer('bias'), 0, gates),
          ...constantFields(pointer('hh'), P || H, 0, 4 * PANEL * gates, gates),
          ...constantFields(pointer('hr'), H, pointer('hrBias'), 0, Math.ceil(P / PANEL)),
        ];
      }),
    ];
    return {
      ...Object.fromEntries(named),
      // steps fill in what changes
      model: { ...buffer('scratch', 1, 4 + 3 * PRODUCT_WORDS * all.length), words },
    };
  }

  const scratch = ({ H, P }: Shape, rows: number) =>
    buffer('scratch', rows, (Math.ceil(H / LANES) + Math.ceil(P / PANEL)) * PANEL + (P ? H : 0));

  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;

  test('every number of units and rows: float64, and the bits of each row alone, step by step', () => {
    const shapes = { H: [...upTo(2 * LANES + 1), PANEL + 1], B: upTo(2 * TILE_ROWS + 1), draw: [1, 2] };
    sweep(shapes, ({ H, B }) => {
      const shape = {
        H,
        I: pick([0, 1, 3, PANEL + 1]),
        P: pick([0, 0, 1, 3, PANEL + 1]),
        L: pick([1, 2, 3]),
        D: pick([1, 2]),
      };
      const { I, L, D } = shape;
      const Ho = outputs(shape);
      const T = pick([1, 2, 5]);
      const blockRows = pick([1, TILE_ROWS, B, 2 * B + 1, 100]);
      const packed = pick([false, true]);
      const layerByLayer = pick([false, true]);
      const batchSizes = upTo(T, 1).map((t) => (packed ? Math.ceil(B / t) : B));
      const firstRows = batchSizes.map((_, t) => batchSizes.slice(0, t).reduce((a, b) => a + b, 0));
      const rows = firstRows[T - 1]! + batchSizes[T - 1]!;

      const matrices = new Map<string, Matrix>();
      const all = weights(shape, matrices);
      const x = numbers(rows * I);
      const h0 = numbers(L * D * B * Ho);
      const c0 = numbers(L * D * B * H, 2);
      const buffers = {
        ...model(shape, all),
        x: buffer('in', rows, I, x),
        even: buffer('out', rows, D * Ho),
        odd: buffer('out', L > 1 ? rows : 0, D * Ho),
        h: buffer('out', L * D * B, Ho, h0),
        c: buffer('out', L * D * B, H, c0),
        sizes: { ...buffer('in', 1, packed ? T : 0), words: () => (packed ? batchSizes : []) },
        z: scratch(shape, Math.max(blockRows, B)),
      };
      const result = run<string>(buffers, (at) => {
        for (let from = 0; from < L; from += layerByLayer ? 1 : L) {
          const to = layerByLayer ? from + 1 : L;
          const { model, x, even, odd, h, c, z } = at as Record<
            'model' | 'x' | 'even' | 'odd' | 'h' | 'c' | 'z',
            number
          >;
          const batchSizes = packed ? at.sizes! : 0;
          const call = runOf({ x, even, odd, h, c, T, batch: B, batchSizes, rows, z, blockRows });
          kernels.lstm_run(model, call, from, to);
        }
      });
      const y = (L % 2 ? result.even : result.odd)!;

      const slice = (data: ArrayLike<number>, row: number, width: number) =>
        Array.from({ length: width }, (_, i) => data[row * width + i]!);
      for (let b = 0; b < B; b++) {
        const own = firstRows.filter((_, t) => batchSizes[t]! > b).map((first) => first + b);
        const states = (h: ArrayLike<number>, c: ArrayLike<number>) =>
          upTo(L * D - 1, 0).map((k) => ({ h: slice(h, k * B + b, Ho), c: slice(c, k * B + b, H) }));
        const inputs = own.map((row) => slice(x, row, I));
        const actual = { output: own.map((row) => slice(y, row, D * Ho)), states: states(result.h!, result.c!) };
        const alone = rowAlone(shape, all, inputs, states(h0, c0));
        const exact = sequence(matrices, L, D === 2, inputs, states(h0, c0));
        const flat = ({ output, states }: Rows) => [...output.flat(), ...states.flatMap(({ h, c }) => [...h, ...c])];
        same(flat(actual), flat(alone), `row ${b}`);
        near(flat(actual), flat(exact), () => 1e-5, `row ${b}`);
      }
    });
  });

  test('one row may put its outputs into the states, as a stream does', () => {
    sweep({ H: upTo(2 * LANES + 1), P: [0, 1, PANEL + 1], L: [1, 2, 3] }, ({ H, P, L }) => {
      const shape = { I: 3, H, P, L, D: 1 };
      const Ho = outputs(shape);
      const all = weights(shape, new Map());
      const x = numbers(shape.I);
      const states = upTo(L).map(() => ({ h: numbers(Ho), c: numbers(H, 2) }));
      const buffers = {
        ...model(shape, all),
        x: buffer('in', 1, shape.I, x),
        h: buffer(
          'out',
          L,
          Ho,
          states.flatMap(({ h }) => h),
        ),
        c: buffer(
          'out',
          L,
          H,
          states.flatMap(({ c }) => c),
        ),
        z: scratch(shape, 1),
      };
      const { h, c } = run<string>(buffers, (at) => {
        for (let layer = 0; layer < L; layer++) {
          const own = at.h! + 4 * layer * Ho;
          const below = own - 4 * Ho;
          const [even, odd] = layer % 2 ? [below, own] : [own, below];
          const { model, x, h, c, z } = at as Record<'model' | 'x' | 'h' | 'c' | 'z', number>;
          const call = runOf({ x, even, odd, h, c, z, T: 1, batch: 1, batchSizes: 0, rows: 1, blockRows: 1 });
          kernels.lstm_run(model, call, layer, layer + 1);
        }
      });
      const alone = rowAlone(shape, all, [x], states);
      same(
        h!,
        alone.states.flatMap(({ h }) => h),
        'h',
      );
      same(
        c!,
        alone.states.flatMap(({ c }) => c),
        'c',
      );
    });
  });
});
