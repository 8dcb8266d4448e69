// node scripts/absurd-onnx.mjs [COUNT [FIRST]]: makes COUNT valid but absurd ONNX models from number FIRST on, loads each, runs it
// three times with two shapes, and prints a line for each that takes more than a second of the processor to load or to run once,
// more memory than it may, or throws anything but a ModelError, TypeError or RangeError of the package. Before each it prints its
// number, so that a crash of the process names it: run it as a program of its own. Needs dist/.
import { loadOnnx, ModelError } from 'lstm-wasm/onnx';
import { randomOf } from './random-of.mjs';
import { onnxFile, tensor } from './write-onnx.mjs';

const [count = 200, first = 0] = process.argv.slice(2).map(Number);
/** Sizes that a place may have: none, usual, prime, and far beyond any memory. */
const SIZES = [0, 0, 0, 1, 1, 2, 3, 4, 7, 8, 97, 4099, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 31 - 1];
/** The most elements of a constant of the file. */
const ELEMENTS = 4096;

const RECURRENT = ['LSTM', 'GRU', 'RNN'];
const OPERATORS = [
  ['MatMul', 2],
  ['Gemm', 3, ['transA', 'transB']],
  ['Conv', 3, ['group', 'strides', 'dilations', 'pads', 'auto_pad']],
  ['ConvTranspose', 3, ['group', 'strides', 'dilations', 'pads', 'auto_pad', 'output_padding', 'output_shape']],
  ['MaxPool', 1, ['kernel_shape', 'strides', 'dilations', 'pads', 'auto_pad', 'ceil_mode']],
  ['AveragePool', 1, ['kernel_shape', 'strides', 'dilations', 'pads', 'auto_pad', 'ceil_mode', 'count_include_pad']],
  ['GlobalMaxPool', 1],
  ['GlobalAveragePool', 1],
  ['LSTM', 7, ['hidden_size', 'layout']],
  ['GRU', 6, ['hidden_size', 'layout', 'linear_before_reset']],
  ['RNN', 6, ['hidden_size', 'layout']],
  ['LayerNormalization', 3, ['axis']],
  ['BatchNormalization', 5],
  ['Softmax', 1, ['axis']],
  ['LogSoftmax', 1, ['axis']],
  ['ArgMax', 1, ['axis', 'keepdims']],
  ['ReduceMean', 1, ['keepdims']],
  ['ReduceSum', 2, ['keepdims']],
  ['ReduceMax', 1],
  ['Add', 2],
  ['Mul', 2],
  ['Pow', 2],
  ['Where', 3],
  ['Equal', 2],
  ['Concat', 3, ['axis']],
  ['Split', 1, ['axis']],
  ['Gather', 2, ['axis']],
  ['Slice', 4],
  ['Pad', 2],
  ['Tile', 2],
  ['Expand', 2],
  ['Reshape', 2, ['allowzero']],
  ['Flatten', 1, ['axis']],
  ['Squeeze', 2],
  ['Unsqueeze', 2],
  ['Transpose', 1],
  ['ConstantOfShape', 1],
  ['Range', 3],
  ['Shape', 1],
  ['Dropout', 1],
  ['Min', 3],
  ['Clip', 3],
  ['Cast', 1, ['to']],
  ['Exp', 1],
  ['Abs', 1],
  ['Neg', 1],
  ['ReduceMin', 1, ['keepdims']],
  ['ReduceProd', 2, ['keepdims']],
  ['ReduceLogSumExp', 2, ['keepdims']],
  ['ArgMin', 1, ['axis', 'keepdims']],
  ['Sum', 3],
  ['Mean', 3],
  ['Mod', 2, ['fmod']],
  ['PRelu', 2],
  ['Elu', 1],
  ['Mish', 1],
  ['Sin', 1],
  ['Sign', 1],
  ['IsNaN', 1],
  ['Einsum', 2, ['equation']],
  ['GatherElements', 2, ['axis']],
  ['GatherND', 2, ['batch_dims']],
  ['ScatterElements', 3, ['axis']],
  ['ScatterND', 3],
  ['ReverseSequence', 2, ['time_axis', 'batch_axis']],
  ['TopK', 2, ['axis', 'largest']],
  ['OneHot', 3, ['axis']],
  ['CumSum', 2, ['exclusive', 'reverse']],
  ['NonZero', 1],
  ['Trilu', 2, ['upper']],
  ['EyeLike', 1, ['k', 'dtype']],
  ['LpNormalization', 1, ['axis', 'p']],
  ['InstanceNormalization', 3],
  ['GroupNormalization', 3, ['num_groups']],
  ['SpaceToDepth', 1, ['blocksize']],
];
/** Operators of which an operator set after 17 is meant. */
const NEWER = ['Mish', 'GroupNormalization', 'ReduceProd', 'ReduceLogSumExp'];
/** Equations of Einsum. */
const EQUATIONS = [
  'ij,jk->ik',
  'i,j->ij',
  'i,i',
  '...i,...j->...ij',
  'bij,bjk->bik',
  'ii,jj->ij',
  'ij,kl->',
  'ab,cd->dcba',
];
/** Attributes that are small numbers where a model means anything. */
const SMALL = [
  ...['axis', 'to', 'keepdims', 'layout', 'transA', 'transB', 'allowzero', 'fmod', 'batch_dims', 'time_axis'],
  ...['batch_axis', 'largest', 'exclusive', 'reverse', 'upper', 'dtype', 'p', 'ceil_mode', 'count_include_pad'],
];
/** Operators whose windows slide along one or two axes. */
const WINDOWS = ['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool'];
/** Attributes with a size for each spatial axis. */
const AXES = ['kernel_shape', 'strides', 'dilations', 'output_padding', 'output_shape'];
/** Inputs that are lists of integers, by operator. */
const LISTS = {
  Slice: [1, 2, 3],
  Pad: [1],
  Tile: [1],
  Expand: [1],
  Reshape: [1],
  Squeeze: [1],
  Unsqueeze: [1],
  ReduceSum: [1],
  ConstantOfShape: [0],
  Gather: [1],
  ReduceProd: [1],
  ReduceLogSumExp: [1],
  GatherND: [1],
  ScatterND: [1],
  ReverseSequence: [1],
  TopK: [1],
  OneHot: [0, 1],
  CumSum: [1],
  Trilu: [1],
};
/** Lists that are mostly of one number, or a scalar. */
const SCALARS = { TopK: [1], OneHot: [1], CumSum: [1], Trilu: [1] };

function absurdModel(index) {
  const random = randomOf(index);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const [op, inputs, attributes = []] = pick(OPERATORS);
  const product = (dims) => dims.reduce((a, b) => a * b, 1);
  const dimsOf = (rank) => {
    const dims = Array.from({ length: rank }, () => pick(SIZES));
    // beside a 0 any size may stand; without one, a constant has to be in the file
    while (product(dims) > ELEMENTS) dims[dims.indexOf(Math.max(...dims))] = pick([0, 1, 2]);
    return dims;
  };
  const isSliding = WINDOWS.includes(op);
  const rank = RECURRENT.includes(op) ? 3 : isSliding ? pick([3, 4]) : 1 + Math.floor(random() * 4);
  const initializers = [];
  const fed = {};
  const shared = dimsOf(rank);
  for (let i = 0; i < inputs; i++) {
    const name = `i${i}`;
    if (LISTS[op]?.includes(i)) {
      const length =
        op === 'Pad' ? 2 * rank : SCALARS[op]?.includes(i) && random() < 0.8 ? 1 : Math.floor(random() * 4);
      const list = Array.from({ length }, () => (random() < 0.2 ? -pick(SIZES) : pick(SIZES)));
      initializers.push(tensor(name, [length], BigInt64Array.from(list, BigInt)));
      continue;
    }
    const dims = random() < 0.5 ? shared : dimsOf(op === 'Range' ? 0 : rank);
    if (i === 0 && random() < 0.5) fed[name] = dims;
    else initializers.push(tensor(name, dims, new Float32Array(product(dims)).fill(1)));
  }
  const values = Object.fromEntries(
    attributes
      .filter(() => random() < 0.7)
      .map((name) => {
        if (name === 'equation') return [name, pick(EQUATIONS)];
        const sizes = (count) => Array.from({ length: count }, () => pick(SIZES));
        if (name === 'auto_pad') return [name, pick(['NOTSET', 'NOTSET', 'SAME_UPPER', 'VALID'])];
        if (AXES.includes(name)) return [name, sizes(rank - 2)];
        if (name === 'pads') return [name, sizes(2 * (rank - 2))];
        return [name, SMALL.includes(name) ? pick([0, 1, 2, 7]) : pick(SIZES)];
      }),
  );
  // one constant read by many nodes, whose results nobody needs
  const nodes = Array.from({ length: random() < 0.3 ? 500 : 1 }, (_, k) => ({
    op,
    inputs: Array.from({ length: inputs }, (_, i) => `i${i}`),
    outputs: [`y${k}`],
    attributes: values,
  }));
  // deep: each reads what the last made
  const deep = random() < 0.3 ? 200 : 0;
  for (let k = 0; k < deep; k++)
    nodes.push({
      op: 'Concat',
      inputs: [k ? `d${k - 1}` : 'y0', k ? `d${k - 1}` : 'y0'],
      outputs: [`d${k}`],
      attributes: { axis: 0 },
    });
  const open = Object.fromEntries(Object.entries(fed).map(([name, dims]) => [name, dims.map((_, i) => `n${i}`)]));
  const graph = { nodes, initializers, inputs: { ...open, z: [1] }, outputs: [deep ? `d${deep - 1}` : 'y0'] };
  const file = onnxFile(graph, NEWER.includes(op) ? 20 : 17);
  // the second time the first axis of some size is one longer
  const [feeds, others] = [0, 1].map((more) => {
    const tensors = Object.entries(fed).map(([name, sizes]) => {
      const axis = sizes.findIndex((size) => size > 0);
      const longer = sizes.map((size, i) => size + (i === axis ? more : 0));
      const dims = product(longer) <= 2 * ELEMENTS && longer.every((size) => size < 2 ** 31) ? longer : sizes;
      return [name, { data: new Float32Array(product(dims)), dims }];
    });
    return { ...Object.fromEntries(tensors), z: { data: new Float32Array(1), dims: [1] } };
  });
  return { op, file, feeds: [feeds, others, feeds] };
}

const outcomes = new Map();
let current = '';

/** The kind of an error; prints one that none may be. */
function name(error) {
  if (error instanceof ModelError) return error.code;
  if (error.message.startsWith('run:')) return 'arguments';
  const text = `${error.name}: ${error.message}`;
  console.log(`${current}: ${text}`);
  return text;
}

for (let index = first; index < first + count; index++) {
  process.stderr.write(`${index}\n`);
  const { op, file, feeds } = absurdModel(index);
  current = `${index} (${op})`;
  let start = process.cpuUsage();
  /** Prints how long loading or a run took, if that was too long. */
  const lap = (what) => {
    const { user, system } = process.cpuUsage(start);
    const milliseconds = Math.round((user + system) / 1000);
    if (milliseconds > 1000) console.log(`${current}: ${what} of ${file.length} bytes took ${milliseconds} ms`);
    start = process.cpuUsage();
  };
  let outcome = 'ran';
  let session;
  try {
    session = loadOnnx(file);
  } catch (error) {
    outcome = name(error);
  }
  lap('load');
  for (const [run, some] of session ? feeds.entries() : []) {
    try {
      session.run(some);
    } catch (error) {
      // the second shape may not fit where the first does
      const found = name(error);
      if (run === 0) outcome = found;
    }
    lap('run');
    if (outcome !== 'ran') break;
  }
  session?.dispose();
  const { arrayBuffers } = process.memoryUsage();
  if (arrayBuffers > 2 ** 28) console.log(`${index} (${op}): ${arrayBuffers} bytes of arrays`);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
console.error(JSON.stringify(Object.fromEntries(outcomes)));
