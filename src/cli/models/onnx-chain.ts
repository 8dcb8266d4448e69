import type { StateDict, TensorLike } from '../../index.ts';
import type { OnnxModel, OnnxNode, OnnxSession } from '../../onnx.ts';
import { CliError } from '../errors.ts';
import type { AnyValue, Chain, FoundLstm, Head } from '../model.ts';
import { product } from '../text.ts';

// Which LSTMs and linear layers an ONNX model is made of. That they are connected as it looks is not proved here: convert
// compares the answers.

/** Operators that move numbers or make shapes. */
const MOVES = new Set(
  'Cast Concat Constant ConstantOfShape Dropout Expand Flatten Gather Identity Reshape Shape Slice Squeeze Transpose Unsqueeze'.split(
    ' ',
  ),
);

const ACTIVATIONS = new Map([
  ['Sigmoid', 'sigmoid'],
  ['Tanh', 'tanh'],
  ['Relu', 'relu'],
  ['Softmax', 'softmax'],
]);

interface Draft {
  readonly weight: TensorLike;
  bias?: TensorLike | undefined;
  activation?: string;
  name: string;
}

export function onnxChain({ graph }: OnnxModel, found: readonly FoundLstm[], session: OnnxSession): Chain {
  const constants = new Map<string, TensorLike>();
  const keep = (name: string, tensor: unknown) => {
    const { data, dims } = Object(tensor) as TensorLike;
    if (data instanceof Float32Array) constants.set(name, { data, dims });
  };
  const odd = new Set<string>();
  const heads: Draft[] = [];
  let lstms = 0;
  const read = (node: OnnxNode): boolean => {
    const { opType, inputs, outputs, attributes } = node;
    const constant = inputs.map((name) => constants.get(name) ?? fromFile(name));
    const last = heads.at(-1);
    if (opType === 'LSTM') {
      lstms++;
      return heads.length === 0;
    }
    if (opType === 'Constant') keep(outputs[0]!, attributes.get('value'));
    if (opType === 'Identity' && constant[0]) constants.set(outputs[0]!, constant[0]);
    if (MOVES.has(opType)) return true;
    if (lstms === 0) return false;
    const activation = ACTIVATIONS.get(opType);
    if (activation) {
      if (!last || last.activation) return false;
      last.activation = activation;
      return true;
    }
    if (opType === 'MatMul' && constant[1]?.dims.length === 2) {
      heads.push({ weight: transpose(constant[1]), name: moduleOf(inputs[1]!) });
      return true;
    }
    if (opType === 'Add' && last && !last.bias && !last.activation) {
      const k = constant.findIndex((one) => one !== undefined);
      const bias = constant[k];
      if (bias?.data.length !== last.weight.dims[0]) return false;
      last.bias = { data: bias!.data, dims: [bias!.data.length] };
      last.name ||= moduleOf(inputs[k]!);
      return true;
    }
    if (
      opType === 'Gemm' &&
      constant[1] &&
      ['alpha', 'beta'].every((name) => [undefined, 1].includes(attributes.get(name) as number))
    ) {
      const weight = attributes.get('transB') ? constant[1] : transpose(constant[1]);
      const bias = constant[2] && { data: constant[2].data, dims: [constant[2].data.length] };
      const name = moduleOf(inputs[1]!) || moduleOf(inputs[2] ?? '');
      heads.push({ weight, bias, name });
      return (
        !attributes.get('transA') && (!bias || bias.data.length === weight.dims[0]) && (!inputs[2] || Boolean(bias))
      );
    }
    return false;
  };
  const fromFile = (name: string): TensorLike | undefined => {
    const tensor = graph.initializers.get(name);
    if (!tensor || !/float/.test(tensor.type)) return undefined;
    keep(name, tensor);
    return constants.get(name);
  };
  for (const node of graph.nodes) if (!read(node)) odd.add(node.opType);
  if (odd.size > 0) {
    throw new CliError(
      `only LSTM layers with linear heads can be converted; the model has ${[...odd].sort().join(', ')} too`,
    );
  }
  const without = found.find(({ weights }) => !weights);
  if (without)
    throw new CliError(`its LSTM ${JSON.stringify(without.name)} is no nn.LSTM: ${without.why ?? 'unknown'}`);
  if (found.length === 0) throw new CliError('it has no LSTM');
  const names = new Set<string>();
  const unique = (wanted: string, otherwise: string) => {
    const name = wanted || otherwise;
    for (let k = 0; ; k++) {
      const next = k === 0 ? name : `${name}_${k}`;
      if (names.has(next)) continue;
      names.add(next);
      return next;
    }
  };
  return {
    lstms: joinLayers(found).map((lstm) => ({ ...lstm, name: unique(lstm.name, 'lstm') })),
    heads: heads.map(({ weight, bias, activation, name }): Head => {
      const weights: StateDict = new Map([['weight', weight], ...(bias ? [['bias', bias] as const] : [])]);
      const [outFeatures, inFeatures] = weight.dims as [number, number];
      return { name: unique(name, 'head'), weights, inFeatures, outFeatures, activation };
    }),
    steps: stepsOf(session),
    answers: (input) => answersOf(session, input),
  };
}

/** The module of torch whose parameter an initializer is: 'fc' for 'fc.weight'; '' if the name tells none. */
function moduleOf(name: string): string {
  return name.match(/^([\w.]+)\.(weight|bias)$/)?.[1] ?? '';
}

/** The module of torch whose node it is: 'encoder.lstm' for '/encoder/lstm/LSTM_1'. */
function moduleOfNode(name: string): string {
  const path = name.match(/^\/(.+)\/LSTM(_\d+)?$/)?.[1];
  return path ? path.replaceAll('/', '.') : '';
}

/** Joins the nodes that torch writes for the layers of one nn.LSTM. */
function joinLayers(found: readonly FoundLstm[]): FoundLstm[] {
  const joined: { name: string; weights: Map<string, unknown>; layers: number; from: FoundLstm }[] = [];
  for (const lstm of found) {
    const module = moduleOfNode(lstm.name);
    const before = joined.at(-1);
    const entries = [...(lstm.weights as ReadonlyMap<string, TensorLike>)];
    const isNext =
      before &&
      module !== '' &&
      before.name === module &&
      !lstm.initialState &&
      !before.from.initialState &&
      isSameKind(before.from, lstm);
    if (isNext) {
      for (const [key, tensor] of entries) before.weights.set(key.replace('_l0', `_l${before.layers}`), tensor);
      before.layers++;
    } else {
      const name = module || (/^\w[\w.]*$/.test(lstm.name) ? lstm.name : '');
      joined.push({ name, weights: new Map(entries), layers: 1, from: lstm });
    }
  }
  return joined.map(({ name, weights, from }) => ({ ...from, name, weights: weights as unknown as StateDict }));
}

function isSameKind(a: FoundLstm, b: FoundLstm): boolean {
  const keys = ({ weights }: FoundLstm) => [...(weights as ReadonlyMap<string, TensorLike>).keys()].join();
  const hidden = ({ weights }: FoundLstm) => (weights as ReadonlyMap<string, TensorLike>).get('weight_hh_l0')!.dims[1]!;
  const inputs = (b.weights as ReadonlyMap<string, TensorLike>).get('weight_ih_l0')!.dims[1]!;
  const directions = keys(a).includes('_reverse') ? 2 : 1;
  return keys(a) === keys(b) && hidden(a) === hidden(b) && inputs === directions * hidden(a);
}

function transpose({ data, dims }: TensorLike): TensorLike {
  const [rows, columns] = dims as [number, number];
  const turned = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!;
  return { data: turned, dims: [columns, rows] };
}

/** The input that takes the sequence: the first of floats. */
function sequenceInput(session: OnnxSession): OnnxSession['inputs'][number] | undefined {
  return session.inputs.find(({ type }) => type === 'float32');
}

/** The sizes that the file fixes, of which one may be of steps. */
function stepsOf(session: OnnxSession): number[] {
  const dims = sequenceInput(session)?.dims ?? [];
  return dims.slice(0, -1).filter((size): size is number => typeof size === 'number');
}

/** Runs the model with a sequence in each arrangement that its input may have: steps first or samples first. */
function answersOf(session: OnnxSession, input: TensorLike): Float32Array[][] {
  const port = sequenceInput(session);
  if (!port) return [];
  const [steps, size] = input.dims as [number, number];
  const arrangements: readonly (readonly [dims: readonly number[], batchAxis: number])[] = [
    [[steps, samplesAt(port.dims, 1), size], 1],
    [[samplesAt(port.dims, 0), steps, size], 0],
    [[steps, size], -1],
  ];
  return arrangements.flatMap(([dims, batchAxis]) => {
    const declared = port.dims ?? dims;
    if (declared.length !== dims.length || declared.some((one, i) => typeof one === 'number' && one !== dims[i]))
      return [];
    const batch = batchAxis < 0 ? 1 : dims[batchAxis]!;
    const feeds = new Map<string, AnyValue>([[port.name, { data: repeat(input, batch, batchAxis), dims }]]);
    for (const other of session.inputs) if (other !== port) feeds.set(other.name, zerosFor(other, batch, steps));
    try {
      const results = Object.values(session.run(feeds));
      return [results.map((value) => oneSample(value, batch))];
    } catch {
      return [];
    }
  });
}

function samplesAt(dims: readonly (number | string)[] | undefined, axis: number): number {
  const size = dims?.[axis];
  return typeof size === 'number' ? size : 1;
}

/** The same sequence for each sample of a batch. */
function repeat({ data, dims }: TensorLike, batch: number, axis: number): Float32Array {
  if (batch === 1) return data;
  const [steps, size] = dims as [number, number];
  const all = new Float32Array(batch * data.length);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < steps; t++) {
      all.set(data.subarray(t * size, (t + 1) * size), (axis === 0 ? b * steps + t : t * batch + b) * size);
    }
  }
  return all;
}

/** States are zeros, lengths of sequences all steps. */
function zerosFor({ type, dims }: OnnxSession['inputs'][number], batch: number, steps: number): AnyValue {
  const sizes = (dims ?? []).map((size) => (typeof size === 'number' ? size : batch));
  const count = product(sizes);
  if (type === 'int64') return { data: new BigInt64Array(count).fill(BigInt(steps)), dims: sizes };
  if (type === 'int32') return { data: new Int32Array(count).fill(steps), dims: sizes };
  return { data: type === 'bool' ? new Uint8Array(count) : new Float32Array(count), dims: sizes };
}

/** The numbers of the first sample of a batch of equal ones. */
function oneSample({ data, dims }: AnyValue, batch: number): Float32Array {
  const all = data instanceof Float32Array ? data : Float32Array.from(data as Int32Array, Number);
  if (batch === 1) return all;
  for (const [axis, size] of dims.entries()) {
    if (size !== batch) continue;
    const inner = product(dims.slice(axis + 1));
    const at = (i: number) => i - (Math.floor(i / inner) % size) * inner;
    if (!all.every((value, i) => Object.is(value, all[at(i)]))) continue;
    return all.filter((_, i) => at(i) === i);
  }
  return all;
}
