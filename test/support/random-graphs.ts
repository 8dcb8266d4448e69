import { loadOnnx, ModelError, type OnnxFeed, type OnnxResult } from '../../src/onnx.ts';
import { type Attribute, DATA_TYPES, type NodeSpec, onnxFile, tensorProto } from './onnx-files.ts';

// Random graphs that are valid for two sets of feeds, each node with the results it gives alone in a model of its own.

/** Numbers that choose a node: its operator, its inputs, and its settings. */
export type Choice = readonly number[];

type Constant = readonly [dims: readonly number[], data: OnnxFeed['data']];

interface Draft {
  readonly op: string;
  /** The places of values, and constants. */
  readonly inputs: readonly (number | Constant)[];
  readonly outputs?: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A value of both variants. */
interface Known {
  readonly name: string;
  readonly results: readonly OnnxResult[];
}

export interface RandomGraph {
  readonly nodes: NodeSpec[];
  readonly initializers: Uint8Array[];
  /** The feeds first. */
  readonly values: Known[];
  readonly feeds: number;
}

const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + 7.3 * i + 1.7 * seed));
const floats = (dims: readonly number[], seed: number): Constant => [
  dims,
  noise(
    dims.reduce((a, b) => a * b, 1),
    seed,
  ),
];
const integers = (...values: number[]): Constant => [[values.length], BigInt64Array.from(values, BigInt)];

const UNARY = ['Relu', 'Tanh', 'Sigmoid', 'Neg', 'Abs', 'Exp', 'LeakyRelu', 'Softmax', 'LogSoftmax', 'Identity'];
const BINARY = ['Add', 'Sub', 'Mul', 'Max', 'Min', 'Div'];

/** The makers of nodes; a, b: places of values, i to l: any numbers, dims: of value a. */
const MAKERS: readonly ((a: number, b: number, i: number, j: number, k: number, dims: readonly number[]) => Draft)[] = [
  (a, _, i) => ({ op: UNARY[i % UNARY.length]!, inputs: [a] }),
  (a, b, i) => ({ op: BINARY[i % BINARY.length]!, inputs: [a, b] }),
  (a, b, i) => ({ op: BINARY[i % BINARY.length]!, inputs: [b, a] }),
  (a, _, i, __, k, dims) => ({ op: BINARY[i % BINARY.length]!, inputs: [a, floats(dims.slice(-1), k)] }),
  (a, _, i, j, k, dims) => ({
    op: 'Slice',
    inputs: [a, integers((i % 4) - 1), integers([99, -1, 1, 2][j % 4]!), integers(k % Math.max(1, dims.length))],
  }),
  (a, _, i, j, k, dims) => ({
    op: 'Slice',
    inputs: [
      a,
      integers(j % 2 ? -1 : 0),
      integers(j % 2 ? -99 : 99),
      integers(k % Math.max(1, dims.length)),
      integers(j % 2 ? -1 - (i % 2) : 1 + (i % 3)),
    ],
  }),
  (a, b, i) => ({
    op: 'Concat',
    inputs: [
      [a, b],
      [a, a, b],
      [a, a],
    ][i % 3]!,
    attributes: { axis: (i >> 2) % 3 },
  }),
  (a, _, i) => ({ op: BINARY[i % BINARY.length]!, inputs: [a, a] }),
  (a, _, i, j, __, { length }) => {
    const perm = [...Array(length).keys()];
    if (length > 1) perm.splice(i % length, 0, ...perm.splice(j % length, 1));
    return { op: 'Transpose', inputs: [a], attributes: { perm } };
  },
  (a, _, i) => ({ op: 'Reshape', inputs: [a, [integers(-1), integers(0, -1), integers(1, 0, -1)][i % 3]!] }),
  (a, _, i, __, ___, { length }) => ({ op: 'Unsqueeze', inputs: [a, integers(i % (length + 1))] }),
  (a, _, i) => ({ op: 'Squeeze', inputs: [a, integers(i % 3)] }),
  (a, _, i, __, ___, dims) => ({
    op: 'Split',
    inputs: [a, integers(1, (dims[i % Math.max(1, dims.length)] ?? 1) - 1)],
    outputs: 2,
    attributes: { axis: i % Math.max(1, dims.length) },
  }),
  (a, _, i, j) => ({
    op: ['ReduceMean', 'ReduceMax'][i % 2]!,
    inputs: [a],
    attributes: { axes: [j % 3], keepdims: (i >> 1) % 2 },
  }),
  (a, _, i, j) => ({ op: 'ReduceSum', inputs: [a, integers(j % 3)], attributes: { keepdims: i % 2 } }),
  (a, _, i, __, k, dims) => ({ op: 'MatMul', inputs: [a, floats([dims.at(-1) ?? 1, 1 + (i % 17)], k)] }),
  (a, b) => ({ op: 'MatMul', inputs: [a, b] }),
  (a, b, i, j) => ({ op: 'Gemm', inputs: [a, b], attributes: { transA: i % 2, transB: j % 2 } }),
  (a, _, i, j, k, dims) => {
    const kernel = 1 + (j % 3);
    const M = 1 + (i % 5);
    const pads = { pads: [k % 2, j % 2], strides: [1 + (k % 2)], dilations: [1 + (i % 7 === 0 ? 1 : 0)] };
    return { op: 'Conv', inputs: [a, floats([M, dims[1] ?? 1, kernel], k), floats([M], i)], attributes: pads };
  },
  (a, _, i, j, k, dims) => {
    const group = dims[1] ?? 1;
    const M = group * (1 + (i % 2));
    return { op: 'Conv', inputs: [a, floats([M, 1, 1 + (j % 2)], k)], attributes: { group, pads: [j % 2, 0] } };
  },
  (a, b) => ({ op: 'Conv', inputs: [a, b] }),
  (a, _, i, j, k, dims) => {
    const H = 1 + (j % 5);
    const direction = ['forward', 'reverse', 'bidirectional'][i % 3]!;
    const D = direction === 'bidirectional' ? 2 : 1;
    const I = dims[2] ?? 1;
    return {
      op: 'LSTM',
      inputs: [a, floats([D, 4 * H, I], k), floats([D, 4 * H, H], i), floats([D, 8 * H], j)],
      outputs: 3,
      attributes: { hidden_size: H, direction },
    };
  },
  (a, _, __, ___, k, dims) => ({ op: 'LayerNormalization', inputs: [a, floats(dims.slice(-1), k)] }),
  (a, _, i, j, k, dims) => {
    const [, C = 1] = dims;
    const positive: Constant = [[C], noise(C, j).map((x) => 1 + x * x)];
    return { op: 'BatchNormalization', inputs: [a, floats([C], i), floats([C], j), floats([C], k), positive] };
  },
  (a, _, i, j, __, { length }) => ({
    op: 'Gather',
    inputs: [a, integers(...[0, -1, 1, 0].slice(0, 1 + (i % 4)))],
    attributes: { axis: j % Math.max(1, length) },
  }),
  (a, _, i, __, ___, dims) => ({ op: 'Tile', inputs: [a, integers(...dims.map((_, axis) => 1 + ((i >> axis) % 2)))] }),
  (a, _, i, __, ___, dims) => ({ op: 'Expand', inputs: [a, integers(1 + (i % 3), ...dims.map(() => 1))] }),
  (a, _, i, j, k, dims) => {
    const pads = Array.from({ length: 2 * dims.length }, (_, at) => ((j >> at) % 3) - ((k >> at) % 2));
    const mode = ['constant', 'reflect', 'edge', 'wrap'][i % 4]!;
    return { op: 'Pad', inputs: [a, integers(...pads)], attributes: { mode } };
  },
  (a, b, i) => ({ op: ['Greater', 'LessOrEqual', 'Equal', 'And'][i % 4]!, inputs: [a, b] }),
  (a, b, i) => ({ op: 'Where', inputs: [i, a, b] }),
  (a, _, i) => ({ op: 'Cast', inputs: [a], attributes: { to: [1, 6, 7, 9, 10][i % 5]! } }),
  (a, _, i, j) => ({ op: 'ArgMax', inputs: [a], attributes: { axis: i % 3, keepdims: j % 2 } }),
  (a) => ({ op: 'Dropout', inputs: [a], outputs: 2 }),
];

/** The results of a node alone in its model; undefined if it does not take these inputs. */
function runAlone(spec: NodeSpec, initializers: readonly Uint8Array[], inputs: readonly Known[], variant: number) {
  const used = new Map(inputs.map((value) => [value.name, value.results[variant]!]));
  const session = loadOnnx(
    onnxFile({
      nodes: [spec],
      inputs: Object.fromEntries([...used].map(([name, { dims }]) => [name, dims])),
      types: Object.fromEntries([...used].map(([name, { type }]) => [name, DATA_TYPES[type]])),
      outputs: Object.fromEntries(spec.outputs!.map((name) => [name, undefined])),
      initializers,
    }),
  );
  try {
    const results = session.run(Object.fromEntries(used));
    return spec.outputs!.map((name) => results[name]!);
  } finally {
    session.dispose();
  }
}

/** Makes a graph of the nodes that take their inputs in both variants. */
export function randomGraph(choices: readonly Choice[]): RandomGraph {
  const feed = (name: string, ...variants: number[][]): Known => ({
    name,
    results: variants.map((dims, seed) => ({ type: 'float32', dims, data: floats(dims, seed)[1] as Float32Array })),
  });
  const values = [
    feed('f0', [2, 3, 4], [3, 3, 4]),
    feed('f1', [5, 1, 4], [2, 1, 4]),
    feed('f2', [1, 6, 3], [1, 2, 3]),
    feed('f3', [4, 4], [4, 4]),
  ];
  const graph: RandomGraph = { nodes: [], initializers: [], values, feeds: values.length };
  for (const [n, choice] of choices.entries()) addNode(graph, n, choice);
  return graph;
}

function addNode({ nodes, initializers, values }: RandomGraph, n: number, choice: Choice): void {
  const [maker = 0, first = 0, second = 0, i = 0, j = 0, k = 0] = choice;
  // late values more often
  const place = (number: number) =>
    number % 3 ? Math.max(0, values.length - 1 - (number % 6)) : number % values.length;
  const [a, b] = [place(first), place(second)];
  const dims = values[a]!.results[0]!.dims;
  const make = MAKERS[maker % MAKERS.length]!;
  const draft = make(a, b, make(a, b, i, j, k, dims).op === 'Where' ? place(i) : i, j, k, dims);
  const constants: Uint8Array[] = [];
  const inputs: Known[] = [];
  const names = draft.inputs.map((input, at) => {
    if (typeof input === 'number') {
      inputs.push(values[input]!);
      return values[input]!.name;
    }
    constants.push(tensorProto(`c${n}_${at}`, ...input));
    return `c${n}_${at}`;
  });
  const outputs = Array.from({ length: draft.outputs ?? 1 }, (_, at) => `v${n}_${at}`);
  const spec = { op: draft.op, inputs: names, outputs, attributes: draft.attributes ?? {} };
  try {
    const both = [0, 1].map((variant) => runAlone(spec, constants, inputs, variant));
    // what grows without end is left out, and what has no elements makes the rest have none
    if (both.flat().some(({ data }) => data.length > 4096 || data.length === 0)) return;
    nodes.push(spec);
    initializers.push(...constants);
    for (const [at, name] of outputs.entries()) values.push({ name, results: both.map((all) => all[at]!) });
  } catch (error) {
    if (!(error instanceof ModelError) && !(error instanceof RangeError)) throw error;
  }
}

/** The file of a graph with these values as outputs. */
export function graphFile({ nodes, initializers, values, feeds }: RandomGraph, outputs: readonly number[]): Uint8Array {
  return onnxFile({
    nodes,
    initializers,
    inputs: Object.fromEntries(
      values
        .slice(0, feeds)
        .map(({ name, results }) => [
          name,
          results[0]!.dims.map((size, axis) => (results[1]!.dims[axis] === size ? size : `${name}_${axis}`)),
        ]),
    ),
    outputs: Object.fromEntries(outputs.map((place) => [values[place]!.name, undefined])),
    types: Object.fromEntries(values.map(({ name, results }) => [name, DATA_TYPES[results[0]!.type]])),
  });
}
