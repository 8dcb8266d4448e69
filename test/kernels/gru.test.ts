import { describe, test } from 'vitest';
import { gruKernels } from '../../src/gru/kernels.ts';
import { GRU_CELL, RELU_CELL, TANH_CELL } from '../../src/gru/kinds.ts';
import { FLOAT32 } from '../../src/memory/abi.ts';
import { type Buffer, buffer, run } from '../support/canaries.ts';
import { type Cell, gru, rnn, sequenceOf } from '../support/gru-oracle.ts';
import { kernels, PANEL, runOf, TILE_ROWS } from '../support/kernels.ts';
import type { Matrix } from '../support/oracle.ts';
import { panels } from '../support/panels.ts';
import { near, numbers, random, same, sweep, upTo } from '../support/sweep.ts';

const own = gruKernels();
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe('gru_gates_f32', () => {
  /** x, s [3][H]: sums of r, z and n of the input and of the state */
  const gates = (H: number, x: readonly number[], s: readonly number[], h: readonly number[], hIsY: boolean) => {
    const buffers = {
      x: buffer('in', 1, 3 * H, x),
      s: buffer('in', 1, 3 * H, s),
      h: buffer('out', 1, H, h),
      y: buffer('out', 1, hIsY ? 0 : H),
    };
    const result = run(buffers, (at) => own.gru_gates_f32(at.x, at.s, at.h, hIsY ? at.h : at.y, H));
    if (!hIsY) same(result.y, result.h, 'y');
    return result.h;
  };

  test('every number of units: the float64 formula, and the bits of a unit alone', () => {
    sweep({ H: upTo(2 * PANEL + 1), hIsY: [false, true] }, ({ H, hIsY }) => {
      const [x, s, old] = [numbers(3 * H, 4), numbers(3 * H, 4), numbers(H, 2)];
      const h = gates(H, x, s, old, hIsY);
      const expected = old.map((value, u) => {
        const [r, z] = [0, 1].map((gate) => sigmoid(x[gate * H + u]! + s[gate * H + u]!)) as [number, number];
        const n = Math.tanh(x[2 * H + u]! + r * s[2 * H + u]!);
        return (1 - z) * n + z * value;
      });
      near(h, expected, () => 1e-6, 'h');
      for (let u = 0; u < H; u++) {
        const of = (sums: readonly number[]) => [0, 1, 2].map((gate) => sums[gate * H + u]!);
        same([h[u]!], gates(1, of(x), of(s), [old[u]!], hIsY), `unit ${u}`);
      }
    });
  });
});

describe('rnn_gate_f32', () => {
  test('every number of units: tanh and relu, and the bits of a unit alone', () => {
    sweep({ H: upTo(2 * PANEL + 1), relu: [0, 1], hIsY: [false, true] }, ({ H, relu, hIsY }) => {
      const gate = (z: readonly number[]) => {
        const { length } = z;
        const buffers = {
          z: buffer('in', 1, length, z),
          h: buffer('out', 1, length),
          y: buffer('out', 1, hIsY ? 0 : length),
        };
        const result = run(buffers, (at) => own.rnn_gate_f32(at.z, at.h, hIsY ? at.h : at.y, length, relu));
        if (!hIsY) same(result.y, result.h, 'y');
        return result.h;
      };
      const z = numbers(H, 4);
      const h = gate(z);
      const exact = z.map((value) => (relu ? Math.max(value, 0) : Math.tanh(value)));
      near(h, exact, (i) => 2 ** -22 * Math.max(Math.abs(exact[i]!), 0.5), 'h');
      for (let u = 0; u < H; u++) same([h[u]!], gate([z[u]!]), `unit ${u}`);
    });
  });
});

describe('cells_run', () => {
  const KINDS: [number, number, Cell][] = [
    [GRU_CELL.code, 3, gru],
    [TANH_CELL.code, 1, rnn('tanh')],
    [RELU_CELL.code, 1, rnn('relu')],
  ];
  interface Shape {
    code: number;
    G: number;
    I: number;
    H: number;
    L: number;
    D: number;
  }

  /** A model of every layer and direction: its buffers, and its matrices under PyTorch's names in `matrices`. */
  function model({ code, G, I, H, L, D }: Shape, matrices: Map<string, Matrix>): Record<string, Buffer> {
    const count = Math.ceil((G * H) / PANEL);
    const all: Record<string, Buffer> = {};
    const matrix = (name: string, k: number, K: number, key = name) => {
      const data = numbers(G * H * K, 0.75).map(Math.fround);
      matrices.set(`${key}_l${Math.floor(k / D)}${k % D ? '_reverse' : ''}`, { data, dims: [G * H, K] });
      const cells = panels(count, K, (row, i) => (row < G * H ? data[row * K + i]! : undefined));
      all[name + k] = buffer('in', count * K, PANEL, cells);
    };
    const inputs = (k: number) => (k < D ? I : D * H);
    for (let k = 0; k < L * D; k++) {
      matrix('weight_ih', k, inputs(k));
      matrix('weight_hh', k, H);
      matrix('bias_ih', k, 1);
      // an RNN has one bias, the sum of both
      if (G > 1) matrix('bias_hh', k, 1);
    }
    const product = (w: number, K: number, init: number, initStride: number) => [
      ...[w, 0, 4 * K, K],
      ...[init, initStride, 0, 4 * PANEL * count],
      ...[0, count, FLOAT32, 0],
    ];
    const words = (at: Readonly<Record<string, number>>) => [
      ...[H, 0, D, code],
      ...upTo(L * D - 1, 0).flatMap((k) => [
        ...product(at[`weight_ih${k}`]!, inputs(k), at[`bias_ih${k}`]!, 0),
        ...product(at[`weight_hh${k}`]!, H, 0, 4 * PANEL * count),
        ...product(0, H, at[`bias_hh${k}`] ?? 0, 0),
      ]),
    ];
    return { ...all, model: { ...buffer('scratch', 1, 4 + 36 * L * D), words } };
  }

  const scratch = ({ G, H }: Shape, rows: number) =>
    buffer('scratch', rows, (G > 1 ? 2 : 1) * Math.ceil((G * H) / PANEL) * PANEL);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  type At = Record<'model' | 'x' | 'even' | 'odd' | 'h' | 'z', number>;

  test('every number of units and rows: float64, and the bits of each row alone', () => {
    const shapes = { kind: KINDS, H: [...upTo(9), PANEL, PANEL + 1], B: upTo(2 * TILE_ROWS + 1) };
    sweep(shapes, ({ kind: [code, G, cell], H, B }) => {
      const shape = { code, G, H, I: pick([0, 1, 3, PANEL + 1]), L: pick([1, 2, 3]), D: pick([1, 2]) };
      const { I, L, D } = shape;
      const T = pick([1, 2, 5]);
      const blockRows = pick([1, TILE_ROWS, B, 2 * B + 1, 100]);
      const packed = pick([false, true]);
      const batchSizes = upTo(T, 1).map((t) => (packed ? Math.ceil(B / t) : B));
      const firstRows = batchSizes.map((_, t) => batchSizes.slice(0, t).reduce((a, b) => a + b, 0));
      const rows = firstRows[T - 1]! + batchSizes[T - 1]!;
      const matrices = new Map<string, Matrix>();
      const weights = model(shape, matrices);
      const x = numbers(rows * I).map(Math.fround);
      const h0 = numbers(L * D * B * H).map(Math.fround);

      /** Runs sequences of these batch sizes. */
      const results = (x: number[], h0: number[], batchSizes: number[], blockRows: number, isPacked: boolean) => {
        const [batch, steps] = [batchSizes[0]!, batchSizes.length];
        const rows = batchSizes.reduce((a, b) => a + b);
        const buffers = {
          ...weights,
          x: buffer('in', rows, I, x),
          even: buffer('out', rows, D * H),
          odd: buffer('out', L > 1 ? rows : 0, D * H),
          h: buffer('out', L * D * batch, H, h0),
          sizes: { ...buffer('in', 1, isPacked ? steps : 0), words: () => (isPacked ? batchSizes : []) },
          z: scratch(shape, Math.max(blockRows, batch)),
        };
        const { even, odd, h } = run<string>(buffers, (at) => {
          const { model, x, even, odd, h, z } = at as At;
          const call = {
            x,
            even,
            odd,
            h,
            c: 0,
            T: steps,
            batch,
            batchSizes: isPacked ? at.sizes! : 0,
            rows,
            z,
            blockRows,
          };
          own.cells_run(model, runOf(call), 0, L);
        });
        return { y: (L % 2 ? even : odd)!, h: h! };
      };
      const all = results(x, h0, batchSizes, blockRows, packed);
      const part = (data: ArrayLike<number>, row: number, width: number) =>
        Array.from({ length: width }, (_, i) => data[row * width + i]!);
      for (let b = 0; b < B; b++) {
        const ownRows = firstRows.filter((_, t) => batchSizes[t]! > b).map((first) => first + b);
        const states = (h: ArrayLike<number>) => upTo(L * D - 1, 0).map((k) => part(h, k * B + b, H));
        const inputs = ownRows.map((row) => part(x, row, I));
        const actual = [...ownRows.flatMap((row) => part(all.y, row, D * H)), ...states(all.h).flat()];
        const alone = results(
          inputs.flat(),
          states(h0).flat(),
          inputs.map(() => 1),
          1,
          false,
        );
        same(actual, [...alone.y, ...alone.h], `row ${b}`);
        const exact = sequenceOf(cell, matrices, L, D === 2, inputs, states(h0));
        const wanted = [...exact.output.flat(), ...exact.states.flat()];
        near(actual, wanted, (i) => 1e-5 * Math.max(1, Math.abs(wanted[i]!)), `row ${b}`);
      }
    });
  });

  test('one row may put its outputs into the states, as a stream does', () => {
    sweep({ kind: KINDS, H: upTo(9) }, ({ kind: [code, G], H }) => {
      const shape = { code, G, I: 3, H, L: 1, D: 1 };
      const weights = model(shape, new Map());
      const [x, h] = [numbers(3), numbers(H)];
      const state = (isOutput: boolean) => {
        const buffers = {
          ...weights,
          x: buffer('in', 1, 3, x),
          h: buffer('out', 1, H, h),
          even: buffer('out', 1, isOutput ? 0 : H),
          z: scratch(shape, 1),
        };
        return run<string>(buffers, (at) => {
          const { model, x, h, even, z } = at as At;
          const call = {
            x,
            even: isOutput ? h : even,
            odd: 0,
            h,
            c: 0,
            z,
            T: 1,
            batch: 1,
            batchSizes: 0,
            rows: 1,
            blockRows: 1,
          };
          own.cells_run(model, runOf(call), 0, 1);
        });
      };
      const apart = state(false);
      same(apart.even!, apart.h!, 'y');
      same(state(true).h!, apart.h!, 'h');
    });
  });

  test('the products are those of lstm.wasm', () => {
    // the GEMV of one row gives the sums that the gates take
    sweep({ H: [1, 5, 16, 17], I: [1, 8] }, ({ H, I }) => {
      const shape = { code: GRU_CELL.code, G: 3, I, H, L: 1, D: 1 };
      const weights = model(shape, new Map());
      const count = Math.ceil((3 * H) / PANEL);
      const [x, h] = [numbers(I), numbers(H)];
      const buffers = {
        ...weights,
        x: buffer('in', 1, I, x),
        h: buffer('out', 1, H, h),
        even: buffer('scratch', 1, H),
        z: scratch(shape, 1),
      };
      const byRun = run<string>(buffers, (at) => {
        const { model, x, h, even, z } = at as At;
        own.cells_run(
          model,
          runOf({ x, even, odd: 0, h, c: 0, z, T: 1, batch: 1, batchSizes: 0, rows: 1, blockRows: 1 }),
          0,
          1,
        );
      });
      const byParts = run<string>(buffers, (at) => {
        const s = at.z! + 4 * PANEL * count;
        kernels.gemv_f32(at.weight_ih0!, at.x!, I, at.bias_ih0!, at.z!, count);
        kernels.gemv_f32(at.weight_hh0!, at.h!, H, at.bias_hh0!, s, count);
        own.gru_gates_f32(at.z!, s, at.h!, at.even!, H);
      });
      same(byRun.h!, byParts.h!, 'h');
    });
  });
});
