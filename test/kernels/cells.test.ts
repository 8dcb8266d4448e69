import { test } from 'vitest';
import { KINDS } from '../../src/cells/activation-kinds.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, same, sweep, upTo } from '../support/sweep.ts';
import { kernels } from '../support/walks.ts';

// The cells with any activations: every number of units, each float written once, gates left where their sums were.

const f32 = Math.fround;
const CLIPS = [Number.POSITIVE_INFINITY, 0.5];
const FUNCTIONS = [KINDS.sigmoid, KINDS.tanh, KINDS.softsign];

const bitsOf = (x: number) => new Int32Array(Float32Array.of(x).buffer)[0]!;

/** The words of Cell in assembly/onnx/cell.ts. */
const cellOf = (H: number, clip: number, kinds: readonly number[], inputForget = 0) => ({
  ...buffer('in', 1, 4 + 3 * kinds.length),
  words: () => [H, 0, bitsOf(clip), inputForget, ...kinds.flatMap((kind) => [kind, 0, 0])],
});

/** f(clip(x)), by the kernel of activations. */
function applied(kind: number, clip: number, x: readonly number[]): number[] {
  const bounded = x.map((value) => Math.min(clip, Math.max(-clip, value)));
  const buffers = { x: buffer('out', 1, x.length, bounded), spare: buffer('scratch', 1, 64) };
  return [...run(buffers, (at) => kernels.activate_f32(kind, 0, 0, at.x, 1, x.length, at.spare)).x];
}

test('GRU: r, z and r h, then n and h, with recurrent sums and without', () => {
  sweep({ H: upTo(33), clip: CLIPS, padding: [0, 3] }, ({ H, clip, padding }) => {
    const kinds = [FUNCTIONS[H % 3]!, FUNCTIONS[(H + 1) % 3]!];
    const [zr, zz, zn, h, s] = Array.from({ length: 5 }, () => numbers(H, 2).map(f32));
    const [r, z] = [zr!, zz!].map((sums) => applied(kinds[0]!, clip, sums));
    const gap = 4 * (H + padding);
    const cell = cellOf(H, clip, kinds);
    const spare = buffer('scratch', 1, 64);
    const gates = run(
      {
        cell,
        z: buffer('out', 3, H, [...zr!, ...zz!, ...zn!], padding),
        h: buffer('in', 1, H, h),
        reset: buffer('out', 1, H),
        spare,
      },
      (at) => kernels.gru_gates_f32(at.cell, at.z, gap, at.h, at.reset, at.spare),
    );
    same(gates.z, [...r!, ...z!, ...zn!], 'gates');
    same(
      gates.reset,
      r!.map((value, i) => f32(value * h![i]!)),
      'r h',
    );
    for (const own of [undefined, s!]) {
      const sums = own ? zn!.map((value, i) => f32(value + f32(r![i]! * own[i]!))) : zn!;
      const n = applied(kinds[1]!, clip, sums);
      const next = n.map((value, i) => f32(f32(f32(1 - z![i]!) * value) + f32(z![i]! * h![i]!)));
      const state = run(
        {
          cell,
          z: buffer('out', 3, H, [...r!, ...z!, ...zn!], padding),
          s: buffer('in', 1, H, own ?? h),
          h: buffer('out', 1, H, h),
          spare,
        },
        (at) => kernels.gru_state_f32(at.cell, at.z, gap, own ? at.s : 0, at.h, at.spare),
      );
      same(state.z, [...r!, ...z!, ...n], 'n');
      same(state.h, next, 'h');
    }
  });
});

test('RNN: h is f of the sums', () => {
  sweep({ H: upTo(33), clip: CLIPS }, ({ H, clip }) => {
    const kind = FUNCTIONS[H % 3]!;
    const sums = numbers(H, 2).map(f32);
    const wanted = applied(kind, clip, sums);
    const { z, h } = run(
      {
        cell: cellOf(H, clip, [kind]),
        z: buffer('out', 1, H, sums),
        h: buffer('out', 1, H),
        spare: buffer('scratch', 1, 64),
      },
      (at) => kernels.rnn_cell_f32(at.cell, at.z, at.h, at.spare),
    );
    same(z, wanted, 'z');
    same(h, wanted, 'h');
  });
});

test('LSTM: the four gates, c and h', () => {
  sweep({ H: upTo(33), clip: CLIPS, inputForget: [0, 1] }, ({ H, clip, inputForget }) => {
    const kinds = [FUNCTIONS[H % 3]!, FUNCTIONS[(H + 1) % 3]!, FUNCTIONS[(H + 2) % 3]!];
    const [zi, zf, zg, zo, c] = Array.from({ length: 5 }, () => numbers(H, 2).map(f32));
    const gate = (k: number, sums: readonly number[]) => applied(kinds[k]!, clip, sums);
    const i = gate(0, zi!);
    const f = inputForget ? i.map((x) => f32(1 - x)) : gate(0, zf!);
    const [g, o] = [gate(1, zg!), gate(0, zo!)];
    const next = c!.map((old, u) => f32(f32(f[u]! * old) + f32(i[u]! * g[u]!)));
    const last = applied(kinds[2]!, Number.POSITIVE_INFINITY, next);
    const results = run(
      {
        cell: cellOf(H, clip, kinds, inputForget),
        z: buffer('out', 1, 4 * H, [...zi!, ...zf!, ...zg!, ...zo!]),
        c: buffer('out', 1, H, c),
        h: buffer('out', 1, H),
        spare: buffer('scratch', 1, 64),
      },
      (at) => kernels.lstm_cell_f32(at.cell, at.z, at.c, at.h, at.spare),
    );
    same(results.z, [...i, ...f, ...g, ...o], 'gates');
    same(results.c, next, 'c');
    same(
      results.h,
      o.map((value, u) => f32(value * last[u]!)),
      'h',
    );
  });
});
