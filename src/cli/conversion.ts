import { type AnyTensor, Linear, LSTM, LSTMCell, type StateDict, type TensorLike } from '../index.ts';
import { parseSafetensors, serializeSafetensors } from '../safetensors.ts';
import { CliError } from './errors.ts';
import type { Chain, FoundLstm, Head } from './model.ts';
import { Heads, makeLstm, startFor } from './models/lstm-runner.ts';
import { INITIAL, prefixOf } from './models/state-dict.ts';
import { threeDigits } from './text.ts';

// What a model's LSTMs and linear layers become as safetensors, and whether they give the model's answers.

/** Steps of the random sequence with which a file is checked. */
const STEPS = 32;

/**
 * The largest difference between a model and what is written of it, per unit of the largest output: both are float32 sums in another
 * order.
 */
const TOLERANCE = 1e-4;

/** A file of safetensors and what was checked of it. */
export interface Converted {
  readonly bytes: Uint8Array;
  /** How well the float32 weights give the model's own answers. */
  readonly check: string;
  /** With 8-bit weights, the largest difference of an output per unit of the largest. */
  readonly error: number | undefined;
  /** What a state dict cannot hold. */
  readonly notes: readonly string[];
}

/** Makes safetensors of layers, and reads them again to check them. @throws CliError if they do not give the model's answers */
export function convertChain(chain: Chain, int8: boolean): Converted {
  const file = serializeSafetensors(tensorsOf(chain, false), { format: 'pt' });
  // what was written is read again, so that the check is of the file
  const check = checkAnswers(chain, parseSafetensors(file));
  const small = int8 ? serializeSafetensors(tensorsOf(chain, true), { format: 'pt' }) : undefined;
  const error = small && compareModules(chain, parseSafetensors(small));
  return { bytes: small ?? file, check, error, notes: notes(chain) };
}

/** Tells what a state dict cannot hold. */
function notes({ heads, skip, lstms }: Chain): string[] {
  const activations = heads.filter(({ activation }) => activation !== undefined && activation !== 'linear');
  return [
    ...activations.map(
      ({ name, activation }) => `note: ${activation} follows ${name}, which a state dict does not say`,
    ),
    ...(skip ? ['note: the input is added to the output, which a state dict does not say'] : []),
    ...(lstms.some(({ initialState }) => initialState)
      ? [`note: the first states are ${INITIAL}h0 and ${INITIAL}c0`]
      : []),
  ];
}

function entriesOf(dict: StateDict): [string, AnyTensor][] {
  return dict instanceof Map ? [...dict] : Object.entries(dict);
}

/** The tensors of a file by PyTorch's keys. */
function tensorsOf({ lstms, heads, others }: Chain, int8: boolean): Map<string, AnyTensor> {
  const all = new Map<string, AnyTensor>(others ? entriesOf(others) : []);
  const modules = [
    ...lstms.map((lstm) => ({ ...lstm, make: () => moduleOf(lstm) })),
    ...heads.map((head) => ({ ...head, make: () => linearOf(head) })),
  ];
  for (const { name, weights, make } of modules) {
    const isSmall = entriesOf(weights!).some(([key]) => key.endsWith('_scale'));
    const tensors = int8 && !isSmall ? quantized(make()) : weights!;
    for (const [key, tensor] of entriesOf(tensors)) all.set(prefixOf(name) + key, tensor);
  }
  const start = lstms.find(({ initialState }) => initialState)?.initialState;
  if (start) {
    const [layers, size] = [start.c0.dims[0]!, start.c0.dims.at(-1)!];
    all.set(`${INITIAL}h0`, { data: start.h0.data, dims: [layers, start.h0.dims.at(-1)!] });
    all.set(`${INITIAL}c0`, { data: start.c0.data, dims: [layers, size] });
  }
  return all;
}

function moduleOf({ isCell, weights }: FoundLstm): LSTM | LSTMCell {
  return isCell ? LSTMCell.fromStateDict(weights!) : LSTM.fromStateDict(weights!);
}

function linearOf({ weights }: Head): Linear {
  return Linear.fromStateDict(weights);
}

function quantized(module: LSTM | LSTMCell | Linear): StateDict {
  const small = module.quantize();
  const tensors = small.quantizedStateDict() as StateDict;
  module.dispose();
  small.dispose();
  return tensors;
}

/** Random numbers that are the same in every run: an xorshift, evenly from -1 to 1. */
function random(count: number): Float32Array {
  let seed = 0x9e3779b9;
  return Float32Array.from({ length: count }, () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed / 2 ** 31;
  });
}

function randomSequence(steps: number, size: number, hasKnobs = false): TensorLike {
  const data = random(steps * size);
  if (hasKnobs) for (let i = size; i < data.length; i++) if (i % size !== 0) data[i] = data[i % size]!;
  return { data, dims: [steps, size] };
}

type Tensors = ReadonlyMap<string, AnyTensor>;

/** The tensors of a module in a file that was read. */
function weightsIn(file: Tensors, name: string, like: StateDict): StateDict {
  const prefix = prefixOf(name);
  const keys = [...file.keys()].filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('.'));
  const wanted = new Set(entriesOf(like).flatMap(([key]) => [key, `${key}_scale`]));
  return new Map(
    keys.flatMap((key) => (wanted.has(key.slice(prefix.length)) ? [[key.slice(prefix.length), file.get(key)!]] : [])),
  );
}

/** Compares the model with what was written of it. @throws CliError if they differ */
function checkAnswers(chain: Chain, file: Tensors): string {
  if (!chain.answers) {
    const error = compareModules(chain, file);
    if (error > 0) throw new CliError(`what was written differs by ${threeDigits(error)}: nothing is kept`);
    return 'each layer gives the same bits';
  }
  const size = makeSize(chain.lstms[0]!);
  let best: { error: number; outputs: number } | undefined;
  for (const steps of new Set([...(chain.steps ?? []), STEPS])) {
    const input = randomSequence(steps, size, chain.hasKnobs);
    const own = runChain(chain, file, input);
    for (const outputs of chain.answers(input)) {
      const error = Math.max(...outputs.map((wanted) => Math.min(...own.map((found) => difference(wanted, found)))));
      if (outputs.length > 0 && error < (best?.error ?? Number.POSITIVE_INFINITY)) {
        best = { error, outputs: outputs.length };
      }
    }
  }
  if (best && best.error <= TOLERANCE) {
    const where = best.outputs === 1 ? 'in the output' : `in all ${best.outputs} outputs`;
    return best.error === 0
      ? `the same bits ${where}`
      : `equal within ${threeDigits(best.error)} of the largest ${where}`;
  }
  throw new CliError(
    'its LSTMs and linear layers, one after the other, do not give its answers: the model does more than that, so nothing was written',
  );
}

function makeSize(lstm: FoundLstm): number {
  const made = makeLstm(lstm);
  made.dispose();
  return made.inputSize;
}

/** All answers that a chain may give: its output at every step or at the last, and the states of its LSTMs. */
function runChain({ lstms, heads, skip }: Chain, file: Tensors, input: TensorLike): Float32Array[] {
  let sequence = input;
  let last: TensorLike = input;
  const states: Float32Array[] = [];
  for (const lstm of lstms) {
    const made = makeLstm({ ...lstm, weights: weightsIn(file, lstm.name, lstm.weights!) });
    const { output, hn, cn } = made.forward(sequence, startFor(lstm.initialState, sequence));
    const directions = made.bidirectional ? 2 : 1;
    const size = hn.dims.at(-1)! * directions;
    last = { data: hn.data.slice(-size), dims: [1, size] };
    states.push(hn.data, cn.data, hn.data.slice(-size), cn.data.slice(-made.hiddenSize * directions), last.data);
    sequence = output;
    made.dispose();
  }
  const behind = new Heads(heads.map((head) => ({ ...head, weights: weightsIn(file, head.name, head.weights) })));
  try {
    const whole = behind.run(sequence);
    const width = whole.dims.at(-1)!;
    const outputs = [whole.data, behind.run(last).data, whole.data.slice(-width)];
    if (skip) outputs.push(whole.data.map((value, t) => value + input.data[t * input.dims[1]!]!));
    return [...outputs, ...states];
  } finally {
    behind.dispose();
  }
}

/** The largest difference of two lists per unit of the largest number; infinite if they have other lengths. */
function difference(wanted: Float32Array, found: Float32Array): number {
  if (wanted.length !== found.length) return Number.POSITIVE_INFINITY;
  let [most, largest] = [0, 0];
  for (const [i, value] of wanted.entries()) {
    if (Object.is(value, found[i])) continue;
    most = Math.max(most, Math.abs(value - found[i]!));
    if (Number.isNaN(most)) return Number.POSITIVE_INFINITY;
  }
  for (const value of wanted) largest = Math.max(largest, Math.abs(value));
  return most === 0 ? 0 : most / (largest || 1);
}

/** The largest difference that a layer of a file has from its origin on a random sequence. */
function compareModules({ lstms, heads }: Chain, file: Tensors): number {
  let most = 0;
  for (const lstm of lstms) {
    const [before, after] = [makeLstm(lstm), makeLstm({ ...lstm, weights: weightsIn(file, lstm.name, lstm.weights!) })];
    const input = randomSequence(STEPS, before.inputSize);
    most = Math.max(most, difference(before.forward(input).output.data, after.forward(input).output.data));
    before.dispose();
    after.dispose();
  }
  for (const head of heads) {
    const [before, after] = [linearOf(head), Linear.fromStateDict(weightsIn(file, head.name, head.weights))];
    const input = randomSequence(STEPS, before.inFeatures);
    most = Math.max(most, difference(before.forward(input).data, after.forward(input).data));
    before.dispose();
    after.dispose();
  }
  return most;
}
