import { type Attribute, onnxFile, tensorProto } from './onnx-files.ts';
import type { GruInput } from './onnx-gru.ts';
import { uniforms } from './random.ts';

// Nodes GRU and RNN with their inputs, and random ones, which test/fixtures/onnx-gru has the answers of ONNX Runtime for.

export interface GruCase extends GruInput {
  readonly op: 'GRU' | 'RNN';
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Whether W, R and B are constants of the model. */
  readonly constant?: boolean;
  readonly batchFirst?: boolean;
}

export const SHAPES = { GRU: { gates: 3, functions: 2 }, RNN: { gates: 1, functions: 1 } } as const;

/** The constants of activation functions that have any, by default. */
export const DEFAULTS: Readonly<Record<string, readonly number[]>> = {
  LeakyRelu: [0.01],
  ThresholdedRelu: [1],
  HardSigmoid: [0.2, 0.5],
  Elu: [1],
  Affine: [0, 0],
  ScaledTanh: [0, 0],
};
/** Whether a node has to give the constants: it has no default worth the name, or ONNX Runtime another than ONNX. */
const NEEDED = ['Affine', 'ScaledTanh', 'ThresholdedRelu'];
const NAMES = [...Object.keys(DEFAULTS), 'Sigmoid', 'Tanh', 'Relu', 'Softsign', 'Softplus'];

/** The functions of a node that gives no names. */
export function standard(op: GruCase['op'], D: number): GruCase['functions'] {
  const names = op === 'GRU' ? ['Sigmoid', 'Tanh'] : ['Tanh'];
  return Array.from({ length: names.length * D }, (_, i) => ({ name: names[i % names.length]!, alpha: 0, beta: 0 }));
}

export function randomCase(op: GruCase['op'], seed: number): GruCase {
  const next = uniforms(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const chance = (share: number) => next() < share;
  const [T, batch, I, H] = [pick([1, 2, 5]), pick([1, 2, 3]), pick([1, 3]), pick([1, 2, 5, 9])];
  const direction = pick(['forward', 'reverse', 'bidirectional'] as const);
  const D = direction === 'bidirectional' ? 2 : 1;
  const { gates, functions: count } = SHAPES[op];
  const numbers = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * (2 * next() - 1));
  const [hasLengths, hasState, hasBias, isClipped, isNamed, isReset, hasConstants] = [
    0.4, 0.5, 0.6, 0.3, 0.5, 0.5, 0.5,
  ].map(chance);
  const names = Array.from({ length: count * D }, () => pick(NAMES));
  const gives = hasConstants || names.some((name) => NEEDED.includes(name));
  const [alphas, betas]: [number[], number[]] = [[], []];
  const functions = names.map((name) => {
    const [alpha = 0, beta = 0] = (DEFAULTS[name] ?? []).map((value) =>
      gives ? Math.fround(0.3 + 0.5 * next()) : value,
    );
    if (name in DEFAULTS) alphas.push(alpha);
    if (DEFAULTS[name]?.length === 2) betas.push(beta);
    return { name, alpha, beta };
  });
  return {
    op,
    T,
    batch,
    I,
    H,
    direction,
    x: numbers(T * batch * I),
    // gates without a bound make h grow
    W: numbers(D * gates * H * I, 0.7),
    R: numbers(D * gates * H * H, 0.7 / Math.sqrt(H)),
    B: hasBias ? numbers(D * 2 * gates * H) : undefined,
    h0: hasState ? numbers(D * batch * H) : undefined,
    lengths: hasLengths ? Array.from({ length: batch }, () => Math.floor(next() * (T + 1))) : undefined,
    clip: isClipped ? 0.25 : undefined,
    functions: isNamed ? functions : standard(op, D),
    linearBeforeReset: isReset && op === 'GRU',
    attributes: {
      ...(isClipped && { clip: Float32Array.of(0.25) }),
      ...(isNamed && { activations: names }),
      ...(isNamed && gives && alphas.length > 0 && { activation_alpha: { floats: alphas } }),
      ...(isNamed && gives && betas.length > 0 && { activation_beta: { floats: betas } }),
      ...(isReset && op === 'GRU' && { linear_before_reset: 1 }),
    },
  };
}

export interface GruFeed {
  readonly data: Float32Array | Int32Array;
  readonly dims: readonly number[];
}

/** Axes 0 and 1 of [a][b][rest] in the other order. */
export function swapped(data: Float32Array, a: number, b: number): Float32Array {
  const rest = data.length / (a * b);
  return Float32Array.from(data, (_, i) => {
    const [row, k] = [Math.floor(i / rest), i % rest];
    return data[((row % a) * b + Math.floor(row / a)) * rest + k]!;
  });
}

/** The file of a case, and what to feed. */
export function modelOf(given: GruCase): { file: Uint8Array; feeds: Record<string, GruFeed> } {
  const { op, T, batch, I, H, direction, lengths, attributes, constant = true, batchFirst = false } = given;
  const D = direction === 'bidirectional' ? 2 : 1;
  const { gates } = SHAPES[op];
  const outer = (data: ArrayLike<number>, size: number, rest: number): GruFeed => ({
    data: batchFirst ? swapped(data as Float32Array, size, batch) : (data as Float32Array),
    dims: batchFirst ? [batch, size, rest] : [size, batch, rest],
  });
  const tensors: Record<string, GruFeed | undefined> = {
    X: outer(given.x, T, I),
    W: { data: given.W as Float32Array, dims: [D, gates * H, I] },
    R: { data: given.R as Float32Array, dims: [D, gates * H, H] },
    B: given.B && { data: given.B as Float32Array, dims: [D, 2 * gates * H] },
    lens: lengths && { data: Int32Array.from(lengths), dims: [batch] },
    h0: given.h0 && outer(given.h0, D, H),
  };
  const all = Object.entries(tensors).filter((entry): entry is [string, GruFeed] => entry[1] !== undefined);
  const isFed = ([name]: [string, GruFeed]) => !constant || !['W', 'R', 'B'].includes(name);
  const fed = all.filter(isFed);
  const file = onnxFile({
    nodes: [
      {
        op,
        name: 'node',
        inputs: ['X', 'W', 'R', 'B', 'lens', 'h0'].map((name) => (tensors[name] ? name : '')),
        outputs: ['Y', 'Y_h'],
        attributes: { hidden_size: H, direction, ...(batchFirst && { layout: 1 }), ...attributes },
      },
    ],
    inputs: Object.fromEntries(fed.map(([name, { dims }]) => [name, dims])),
    types: { lens: 6 },
    outputs: { Y: undefined, Y_h: undefined },
    initializers: all
      .filter((entry) => !isFed(entry))
      .map(([name, { data, dims }]) => tensorProto(name, dims, data as Float32Array)),
  });
  return { file, feeds: Object.fromEntries(fed) };
}
