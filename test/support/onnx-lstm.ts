// ONNX's LSTM in float64, with plain loops: https://onnx.ai/onnx/operators/onnx__LSTM.html

export interface OracleActivation {
  readonly name: string;
  readonly alpha: number;
  readonly beta: number;
}

export const FUNCTIONS: Record<string, (x: number, alpha: number, beta: number) => number> = {
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: (x) => Math.tanh(x),
  Relu: (x) => Math.max(0, x),
  Affine: (x, alpha, beta) => alpha * x + beta,
  LeakyRelu: (x, alpha) => (x >= 0 ? x : alpha * x),
  ThresholdedRelu: (x, alpha) => (x > alpha ? x : 0),
  ScaledTanh: (x, alpha, beta) => alpha * Math.tanh(beta * x),
  HardSigmoid: (x, alpha, beta) => Math.min(Math.max(alpha * x + beta, 0), 1),
  Elu: (x, alpha) => (x >= 0 ? x : alpha * Math.expm1(x)),
  Softsign: (x) => x / (1 + Math.abs(x)),
  Softplus: (x) => Math.log1p(Math.exp(x)),
};

export interface OracleInput {
  readonly T: number;
  readonly batch: number;
  readonly I: number;
  readonly H: number;
  readonly direction: 'forward' | 'reverse' | 'bidirectional';
  /** [T][batch][I], [D][4H][I], [D][4H][H], [D][8H], [D][3H], [D][batch][H] */
  readonly x: ArrayLike<number>;
  readonly W: ArrayLike<number>;
  readonly R: ArrayLike<number>;
  readonly B?: ArrayLike<number> | undefined;
  readonly P?: ArrayLike<number> | undefined;
  readonly h0?: ArrayLike<number> | undefined;
  readonly c0?: ArrayLike<number> | undefined;
  readonly lengths?: readonly number[] | undefined;
  readonly clip?: number | undefined;
  readonly inputForget?: boolean | undefined;
  /** Three a direction. */
  readonly functions: readonly OracleActivation[];
}

export const TRACED = ['i', 'f', 'g', 'o', 'c', 'h'] as const;

/**
 * Y [T][D][batch][H], Y_h and Y_c [D][batch][H]
 * @param traces takes the values of TRACED [T][batch][H] of each direction
 */
export function onnxLstm(
  input: OracleInput,
  traces: Record<string, number[]>[] = [],
): { Y: number[]; Y_h: number[]; Y_c: number[] } {
  const { T, batch, I, H, direction, x, W, R, B, P, h0, c0, lengths, clip = Infinity, inputForget, functions } = input;
  const D = direction === 'bidirectional' ? 2 : 1;
  const Y = new Array<number>(T * D * batch * H).fill(0);
  const Y_h = new Array<number>(D * batch * H).fill(0);
  const Y_c = new Array<number>(D * batch * H).fill(0);
  for (let d = 0; d < D; d++) {
    const backwards = direction === 'reverse' || d === 1;
    const trace = Object.fromEntries(TRACED.map((name) => [name, new Array<number>(T * batch * H).fill(0)]));
    traces.push(trace);
    const [f, g, last] = functions.slice(3 * d).map(
      ({ name, alpha, beta }) =>
        (value: number) =>
          FUNCTIONS[name]!(value, alpha, beta),
    );
    const bound = (value: number) => Math.min(clip, Math.max(-clip, value));
    for (let b = 0; b < batch; b++) {
      const length = lengths?.[b] ?? T;
      if (length === 0) continue;
      const state = (d * batch + b) * H;
      let h = Array.from({ length: H }, (_, u) => h0?.[state + u] ?? 0);
      let c = Array.from({ length: H }, (_, u) => c0?.[state + u] ?? 0);
      for (let s = 0; s < length; s++) {
        const t = backwards ? length - 1 - s : s;
        const sum = (gate: number, u: number) => {
          const row = d * 4 * H + gate * H + u;
          let total = B ? B[d * 8 * H + gate * H + u]! + B[d * 8 * H + (4 + gate) * H + u]! : 0;
          for (let k = 0; k < I; k++) total += W[row * I + k]! * x[(t * batch + b) * I + k]!;
          for (let k = 0; k < H; k++) total += R[row * H + k]! * h[k]!;
          return total;
        };
        const peephole = (gate: number, u: number) => (P ? P[(d * 3 + gate) * H + u]! : 0);
        const i = c.map((old, u) => f!(bound(sum(0, u) + peephole(0, u) * old)));
        const forget = c.map((old, u) => (inputForget ? 1 - i[u]! : f!(bound(sum(2, u) + peephole(2, u) * old))));
        const fresh = c.map((_, u) => g!(bound(sum(3, u))));
        const nextC = c.map((old, u) => forget[u]! * old + i[u]! * fresh[u]!);
        const o = nextC.map((cell, u) => f!(bound(sum(1, u) + peephole(1, u) * cell)));
        h = nextC.map((cell, u) => o[u]! * last!(cell));
        for (const [k, values] of [i, forget, fresh, o, nextC, h].entries()) {
          for (let u = 0; u < H; u++) trace[TRACED[k]!]![(t * batch + b) * H + u] = values[u]!;
        }
        c = nextC;
        for (let u = 0; u < H; u++) Y[((t * D + d) * batch + b) * H + u] = h[u]!;
      }
      for (let u = 0; u < H; u++) {
        Y_h[state + u] = h[u]!;
        Y_c[state + u] = c[u]!;
      }
    }
  }
  return { Y, Y_h, Y_c };
}
