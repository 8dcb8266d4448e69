import { onnxFile, tensor } from '../../scripts/write-onnx.mjs';
import { oracle } from '../oracle.mjs';
import { generator, inputOf, onnxRows, weightsOf } from '../shapes.mjs';

/**
 * One layer after the other over [T][I]: LSTMs (`last`: only the last step goes on), the last step in T copies, Dense layers;
 * and the heads, Dense layers beside each other that give the outputs `head0`, `head1` ...
 * @typedef {{ lstm: number, last?: boolean } | { repeat: number } | Dense} Layer
 * @typedef {{ dense: number, activation?: 'Relu' | 'Tanh' | 'Sigmoid' }} Dense
 * @typedef {{ style: 'tf2onnx' | 'torch', I: number, T: number, layers: Layer[], heads: Dense[] }} Spec
 */

const TAIL = 2n ** 63n - 1n;

/** A graph that is being written: each method adds a node and returns its output's name. */
class Graph {
  nodes = [];
  initializers = [];
  #names = 0;

  op(op, inputs, attributes = {}, output = `${op}_${this.#names++}`) {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  floats(dims, data) {
    return this.#constant(dims, data);
  }

  ints(...values) {
    return this.#constant([values.length], BigInt64Array.from(values, BigInt));
  }

  int(value) {
    return this.#constant([], BigInt64Array.of(BigInt(value)));
  }

  #constant(dims, data) {
    const name = `const_${this.#names++}`;
    this.initializers.push(tensor(name, dims, data));
    return name;
  }
}

/** Zeros [1][B][H] as exporters make them of the batch size, which is the first of the dims of the input [B][T][I]. */
const INITIAL_STATE = {
  tf2onnx(graph, H) {
    const batch = graph.op('Slice', [graph.op('Shape', ['input']), graph.ints(0), graph.ints(1), graph.ints(0)]);
    const dims = graph.op('Concat', [batch, graph.ints(H)], { axis: 0 });
    const zeros = graph.op('Expand', [graph.floats([1, 1], new Float32Array(1)), dims]);
    return graph.op('Unsqueeze', [zeros, graph.ints(0)]);
  },
  torch(graph, H) {
    const batch = graph.op('Gather', [graph.op('Shape', ['input']), graph.int(0)], { axis: 0 });
    const parts = [graph.ints(1), graph.op('Unsqueeze', [batch, graph.ints(0)]), graph.ints(H)];
    const dims = graph.op('Concat', parts, { axis: 0 });
    return graph.op('Expand', [graph.floats([1, 1, 1], new Float32Array(1)), dims]);
  },
};

/** Of an LSTM's output Y [T][1][B][H] the last step [B][H]. */
const LAST_STEP = {
  tf2onnx(graph, Y) {
    const steps = graph.op('Squeeze', [Y, graph.ints(1)]);
    const last = graph.op('Slice', [steps, graph.ints(-1), graph.ints(TAIL), graph.ints(0)]);
    return graph.op('Squeeze', [last, graph.ints(0)]);
  },
  torch(graph, Y) {
    const steps = graph.op('Transpose', [graph.op('Squeeze', [Y, graph.ints(1)])], { perm: [1, 0, 2] });
    return graph.op('Gather', [steps, graph.int(-1)], { axis: 1 });
  },
};

/** Weights of one LSTM, the same for the ONNX file and the oracle. */
const lstmOf = (I, H) => ({ I, H, L: 1, D: 1 });

/** Weights [N][K] and bias [N] of a Dense layer, uniform in ±1/sqrt(K). */
function denseOf(N, K) {
  const next = generator(N);
  const bound = 1 / Math.sqrt(K);
  const draw = (length) => Float32Array.from({ length }, () => next() * bound);
  return { weight: draw(N * K), bias: draw(N) };
}

function writeLSTM(graph, style, x, I, H) {
  const weights = weightsOf(lstmOf(I, H));
  const rows = (name) => onnxRows(weights.get(`${name}_l0`));
  const bias = Float32Array.from([...rows('bias_ih'), ...rows('bias_hh')]);
  const inputs = [
    graph.op('Transpose', [x], { perm: [1, 0, 2] }),
    graph.floats([1, 4 * H, I], rows('weight_ih')),
    graph.floats([1, 4 * H, H], rows('weight_hh')),
    graph.floats([1, 8 * H], bias),
    '',
    INITIAL_STATE[style](graph, H),
    INITIAL_STATE[style](graph, H),
  ];
  return graph.op('LSTM', inputs, { hidden_size: H });
}

/** @param steps whether x is [B][T][K], not [B][K] */
function writeDense(graph, style, x, { steps, K, T }, { dense: N, activation }, name) {
  const { weight, bias } = denseOf(N, K);
  const rename = (isLast) => (isLast ? name : undefined);
  const columns = () => {
    const data = new Float32Array(K * N);
    for (let n = 0; n < N; n++) for (let k = 0; k < K; k++) data[k * N + n] = weight[n * K + k];
    return graph.floats([K, N], data);
  };
  let y;
  if (style === 'torch' && !steps) {
    const inputs = [x, graph.floats([N, K], weight), graph.floats([N], bias)];
    y = graph.op('Gemm', inputs, { transB: 1 }, rename(!activation));
  } else {
    let product;
    if (style === 'tf2onnx' && steps) {
      const rows = graph.op('MatMul', [graph.op('Reshape', [x, graph.ints(-1, K)]), columns()]);
      product = graph.op('Reshape', [rows, graph.ints(-1, T, N)]);
    } else product = graph.op('MatMul', [x, columns()]);
    y = graph.op('Add', [product, graph.floats([N], bias)], {}, rename(!activation));
  }
  return activation ? graph.op(activation, [y], {}, name) : y;
}

/** The ONNX file: the input `input` [batch][T][I], an output for each head. @param {Spec} spec */
export function write({ style, I, T, layers, heads }) {
  const graph = new Graph();
  let x = 'input';
  let at = { steps: true, K: I, T };
  for (const layer of layers) {
    if (layer.lstm) {
      const Y = writeLSTM(graph, style, x, at.K, layer.lstm);
      const sequence = () => graph.op('Transpose', [graph.op('Squeeze', [Y, graph.ints(1)])], { perm: [1, 0, 2] });
      x = layer.last ? LAST_STEP[style](graph, Y) : sequence();
      at = { ...at, steps: !layer.last, K: layer.lstm };
    } else if (layer.repeat) {
      const once = graph.op('Unsqueeze', [x, graph.ints(1)]);
      x = graph.op('Tile', [once, graph.ints(1, layer.repeat, 1)]);
      at = { ...at, steps: true, T: layer.repeat };
    } else {
      x = writeDense(graph, style, x, at, layer);
      at = { ...at, K: layer.dense };
    }
  }
  const outputs = heads.map((head, i) => writeDense(graph, style, x, at, head, `head${i}`));
  const { nodes, initializers } = graph;
  return onnxFile({ nodes, initializers, inputs: { input: ['batch', T, I] }, outputs });
}

const ACTIVATIONS = {
  Relu: (x) => Math.max(x, 0),
  Tanh: Math.tanh,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

function dense(x, K, { dense: N, activation }) {
  const { weight, bias } = denseOf(N, K);
  const act = ACTIVATIONS[activation] ?? ((value) => value);
  return Float64Array.from({ length: (x.length / K) * N }, (_, i) => {
    const row = Math.floor(i / N) * K;
    const n = i % N;
    let sum = bias[n];
    for (let k = 0; k < K; k++) sum += weight[n * K + k] * x[row + k];
    return act(sum);
  });
}

/** The input [T][I], the same in every process. @param {Spec} spec */
export const input = ({ I, T }) => inputOf({ I, T, B: 1 });

/** The outputs for `input(spec)` in float64. @param {Spec} spec */
export function answer({ I, T, layers, heads, ...rest }) {
  let x = Float64Array.from(input({ I, T, ...rest }));
  let K = I;
  for (const layer of layers) {
    if (layer.lstm) {
      const shape = { ...lstmOf(K, layer.lstm), T: x.length / K, B: 1 };
      x = oracle(shape, weightsOf(shape), x);
      K = layer.lstm;
      if (layer.last) x = x.slice(-K);
    } else if (layer.repeat) {
      const once = x;
      x = Float64Array.from({ length: layer.repeat * K }, (_, i) => once[i % K]);
    } else {
      x = dense(x, K, layer);
      K = layer.dense;
    }
  }
  return heads.map((head) => dense(x, K, head));
}
