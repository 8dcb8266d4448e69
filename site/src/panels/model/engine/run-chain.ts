import type { AnyValue, Chain, FoundLstm, Head, Model } from '../../../../../src/cli/model.ts';
import { Heads, makeLstm, startFor } from '../../../../../src/cli/models/lstm-runner.ts';
import type { Sequence } from './sequence.ts';
import { mostSteps, type Outcome, type Subject, takesOf, timed } from './subject.ts';
import { largestDifference, TraceLog } from './traces.ts';

// LSTMs one after the other with linear layers behind them: state dicts, and models of amps.

interface Line {
  readonly lstms: readonly FoundLstm[];
  readonly heads: readonly Head[];
  /** Whether the input is added to the answer. */
  readonly skip: boolean;
}

type Matrix = { readonly data: Float32Array; readonly dims: readonly number[] };

/** Runs a line without a trace. */
function forward({ lstms, heads }: Line, input: Matrix, int8: boolean): { hidden: Float32Array; answer: Matrix } {
  let value = input;
  for (const found of lstms) {
    const lstm = makeLstm(found, int8);
    value = lstm.forward(value, startFor(found.initialState, value)).output;
    lstm.dispose();
  }
  return { hidden: value.data, answer: behind(heads, value, int8) };
}

/** Runs a line and traces it. */
function trace(
  { lstms, heads }: Line,
  input: Matrix,
  int8: boolean,
): { log: TraceLog; hidden: Float32Array; answer: Matrix } {
  const log = new TraceLog();
  let value = input;
  for (const found of lstms) {
    const lstm = makeLstm(found, int8);
    const { output, layers } = lstm.trace(value, startFor(found.initialState, value));
    for (const [k, layer] of layers.entries()) log.add(found.name, k, layers.length, layer);
    value = output;
    lstm.dispose();
  }
  return { log, hidden: value.data, answer: behind(heads, value, int8) };
}

function behind(heads: readonly Head[], value: Matrix, int8: boolean): Matrix {
  const layers = new Heads(heads, int8);
  const answer = layers.run(value);
  layers.dispose();
  return answer as Matrix;
}

/** The cells of LSTMs times their hidden units. */
export function unitsOf(lstms: readonly FoundLstm[]): number {
  return lstms.reduce((sum, { options }) => {
    const layers = Number(options.numLayers ?? 1) * (options.bidirectional ? 2 : 1);
    return sum + layers * Number(options.hiddenSize ?? options.units ?? 0);
  }, 0);
}

async function outcome(line: Line, input: Matrix, int8: boolean, notes: readonly string[]): Promise<Outcome> {
  const [plain, seconds] = await timed(() => forward(line, input, int8));
  const { log, hidden, answer } = trace(line, input, int8);
  const steps = input.dims[0]!;
  return {
    seconds,
    steps,
    log,
    difference: Math.max(largestDifference(plain.hidden, hidden), largestDifference(plain.answer.data, answer.data)),
    compared: 'h of every step',
    said: line.heads.length ? said(plain.answer, line.heads.at(-1)!.name) : undefined,
    notes,
  };
}

function said({ data, dims }: Matrix, name: string): Outcome['said'] {
  const width = dims.at(-1)!;
  return { data, width, count: data.length / width, name };
}

const matrixOf = ({ data, steps, width }: Sequence): Matrix => ({ data, dims: [steps, width] });

/** One LSTM of a state dict, and the linear layers behind it where the file leaves no doubt about them. @param name which, of several */
export async function stateDictSubject(model: Model, name?: string): Promise<Subject> {
  const usable = model.lstms.filter(({ weights }) => weights);
  const found = usable.find((each) => each.name === name) ?? usable[0]!;
  const [heads, notes] = await headsBehind(model, found);
  const line: Line = { lstms: [found], heads, skip: false };
  const need = { kind: 'rows', width: Number(found.options.inputSize), most: mostSteps(unitsOf([found])) } as const;
  const run = (int8: boolean) => (sequence: Sequence) => outcome(line, matrixOf(sequence), int8, notes);
  return { need, takes: takesOf(need), run: run(false), runInt8: run(true) };
}

async function headsBehind(model: Model, found: FoundLstm): Promise<[heads: readonly Head[], notes: string[]]> {
  const chain: Chain | undefined = await model.chain().catch(() => undefined);
  const others = Object.keys(Object(chain?.others instanceof Map ? Object.fromEntries(chain.others) : chain?.others));
  const output = outputOf(found);
  const isSure = model.lstms.length === 1 && others.length === 0 && chain?.heads.length === 1;
  if (isSure && chain.heads[0]!.inFeatures === output) return [chain.heads, []];
  const rest = (chain?.heads.length ?? 0) + others.length;
  const alone = `The file does not say how its layers are connected: ${found.name === '(no prefix)' ? 'its LSTM' : `the LSTM ${found.name}`} runs alone.`;
  return [[], model.lstms.length > 1 || rest > 0 ? [alone] : []];
}

function outputOf({ options }: FoundLstm): number {
  return (Number(options.projSize) || Number(options.hiddenSize)) * (options.bidirectional ? 2 : 1);
}

/** Runs LSTMs with linear layers behind them, with float32 or 8-bit weights: every layer hands on every step. */
export function lineRuns(lstms: readonly FoundLstm[], heads: readonly Head[]): Pick<Subject, 'runPlain' | 'runInt8'> {
  const run = (int8: boolean) => (sequence: Sequence) =>
    outcome({ lstms, heads, skip: false }, matrixOf(sequence), int8, []);
  return { runPlain: run(false), runInt8: run(true) };
}

/** A knob's position where nobody turned it. */
const KNOB = 0.5;

/** A model of an amp or effect. @param rate samples a second that it was trained on */
export async function audioSubject(model: Model): Promise<Subject> {
  const chain = await model.chain().catch(() => undefined);
  const {
    knobs: count = 0,
    sampleRate,
    skip = false,
  } = model.details as { knobs?: number; sampleRate?: number; skip?: boolean };
  const knobs = new Array<number>(count).fill(KNOB);
  const notes = count ? [`Its ${count === 1 ? 'knob is' : `${count} knobs are`} at ${KNOB}.`] : [];
  const lstms = chain?.lstms ?? [];
  const line: Line = { lstms, heads: chain?.heads ?? [], skip };
  const need = { kind: 'samples', width: 1, most: Math.min(2 ** 15, mostSteps(unitsOf(lstms))) } as const;
  return {
    need,
    takes: takesOf(need),
    rate: typeof sampleRate === 'number' ? sampleRate : undefined,
    run: (sequence) => runAudio(model, line, sequence, knobs, notes),
    runInt8: lstms.length
      ? async (sequence) => {
          const input = withKnobs(sequence, knobs);
          const result = await outcome(line, input, true, []);
          return { ...result, said: added(result.said, sequence, skip) };
        }
      : undefined,
  };
}

async function runAudio(
  model: Model,
  line: Line,
  sequence: Sequence,
  knobs: readonly number[],
  notes: readonly string[],
): Promise<Outcome> {
  const runner = model.runner({ knobs });
  const feeds = new Map<string, AnyValue>([['input', { data: sequence.data, dims: [sequence.steps] }]]);
  const [{ output }, seconds] = await timed(() => runner.run(feeds, async () => {}));
  runner.dispose();
  const samples = output!.data as Float32Array;
  const said = { data: samples, width: 1, count: samples.length, name: 'output' };
  if (!line.lstms.length) {
    const why = 'its layers are not LSTMs with linear layers behind them';
    return { said, seconds, steps: sequence.steps, log: new TraceLog(), difference: 0, compared: why, notes };
  }
  const { log, answer } = trace(line, withKnobs(sequence, knobs), false);
  const own = added({ data: answer.data, width: 1, count: samples.length, name: 'output' }, sequence, line.skip);
  return {
    ...{ said, seconds, log, notes },
    steps: sequence.steps,
    difference: largestDifference(own!.data, samples),
    compared: 'every sample of the output',
  };
}

/** Samples with the positions of knobs beside each. */
function withKnobs({ data, steps }: Sequence, knobs: readonly number[]): Matrix {
  const width = 1 + knobs.length;
  if (width === 1) return { data, dims: [steps, 1] };
  const rows = new Float32Array(steps * width);
  for (let t = 0; t < steps; t++) rows.set([data[t]!, ...knobs], t * width);
  return { data: rows, dims: [steps, width] };
}

function added(said: Outcome['said'], { data }: Sequence, skip: boolean): Outcome['said'] {
  return said && skip ? { ...said, data: said.data.map((value, n) => Math.fround(value + data[n]!)) } : said;
}
