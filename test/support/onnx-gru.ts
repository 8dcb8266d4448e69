import { FUNCTIONS, type OracleActivation, type OracleInput } from './onnx-lstm.ts';

// ONNX's GRU and RNN in float64, with plain loops: https://onnx.ai/onnx/operators/onnx__GRU.html, onnx__RNN.html

/** Inputs of the operators: W [D][G H][I], R [D][G H][H], B [D][2 G H]; G is 3 for GRU (z, r, h), 1 for RNN. */
export interface GruInput extends Omit<OracleInput, 'P' | 'c0' | 'inputForget'> {
  readonly linearBeforeReset?: boolean | undefined;
}

/** The last h [H] of a step, from sums of a gate: W x + Wb, and R v + Rb of any v. */
type Step = (sums: {
  readonly input: (gate: number, u: number) => number;
  readonly recurrent: (gate: number, u: number, v: readonly number[]) => number;
  readonly h: readonly number[];
  /** The activations, which bound what they are given. */
  readonly f: readonly ((x: number) => number)[];
}) => number[];

/** Y [T][D][batch][H], Y_h [D][batch][H] */
function run(given: GruInput, gates: number, count: number, step: Step): { Y: number[]; Y_h: number[] } {
  const { T, batch, I, H, direction, x, W, R, B, h0, lengths, clip = Infinity, functions } = given;
  const D = direction === 'bidirectional' ? 2 : 1;
  const Y = new Array<number>(T * D * batch * H).fill(0);
  const Y_h = new Array<number>(D * batch * H).fill(0);
  for (let d = 0; d < D; d++) {
    const backwards = direction === 'reverse' || d === 1;
    const f = functions.slice(count * d, count * (d + 1)).map(({ name, alpha, beta }: OracleActivation) => {
      return (value: number) => FUNCTIONS[name]!(Math.min(clip, Math.max(-clip, value)), alpha, beta);
    });
    for (let b = 0; b < batch; b++) {
      const length = lengths?.[b] ?? T;
      if (length === 0) continue;
      const state = (d * batch + b) * H;
      let h = Array.from({ length: H }, (_, u) => h0?.[state + u] ?? 0);
      for (let s = 0; s < length; s++) {
        const t = backwards ? length - 1 - s : s;
        const row = (gate: number, u: number) => (d * gates + gate) * H + u;
        const bias = (block: number, u: number) => B?.[(2 * d * gates + block) * H + u] ?? 0;
        const input = (gate: number, u: number) => {
          let total = bias(gate, u);
          for (let k = 0; k < I; k++) total += W[row(gate, u) * I + k]! * x[(t * batch + b) * I + k]!;
          return total;
        };
        const recurrent = (gate: number, u: number, v: readonly number[]) => {
          return v.reduce((total, value, k) => total + R[row(gate, u) * H + k]! * value, bias(gates + gate, u));
        };
        h = step({ input, recurrent, h, f });
        for (let u = 0; u < H; u++) Y[((t * D + d) * batch + b) * H + u] = h[u]!;
      }
      for (let u = 0; u < H; u++) Y_h[state + u] = h[u]!;
    }
  }
  return { Y, Y_h };
}

/** h = (1 - z) n + z h; n = g(W x + Wb + R (r h) + Rb), or with linear_before_reset g(W x + Wb + r (R h + Rb)) */
export function onnxGru(given: GruInput): { Y: number[]; Y_h: number[] } {
  return run(given, 3, 2, ({ input, recurrent, h, f: [f, g] }) => {
    const [z, r] = [0, 1].map((gate) => h.map((_, u) => f!(input(gate, u) + recurrent(gate, u, h)))) as [
      number[],
      number[],
    ];
    const reset = h.map((old, u) => r[u]! * old);
    return h.map((old, u) => {
      const sum = given.linearBeforeReset ? r[u]! * recurrent(2, u, h) : recurrent(2, u, reset);
      return (1 - z[u]!) * g!(input(2, u) + sum) + z[u]! * old;
    });
  });
}

/** h = f(W x + Wb + R h + Rb) */
export function onnxRnn(given: GruInput): { Y: number[]; Y_h: number[] } {
  return run(given, 1, 1, ({ input, recurrent, h, f: [f] }) => h.map((_, u) => f!(input(0, u) + recurrent(0, u, h))));
}
