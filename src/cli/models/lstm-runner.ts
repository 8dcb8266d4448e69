import { bytesUsed, Linear, LSTM, relu, type StateDict, sigmoid, softmax, type TensorLike, tanh } from '../../index.ts';
import { CliError } from '../errors.ts';
import type { AnyValue, FoundLstm, Head, Progress, Runner } from '../model.ts';
import { formatDims, product } from '../text.ts';

// An nn.LSTM with nn.Linears behind it, run on sequences.

/** Steps that are run at once, so that a progress bar moves. */
const STEPS = 2048;

/** Activation functions by the names that formats have in common. */
const ACTIVATIONS: Readonly<Record<string, (x: TensorLike) => TensorLike>> = {
  linear: (x) => x,
  sigmoid: (x) => sigmoid(x),
  tanh: (x) => tanh(x),
  relu: (x) => relu(x),
  softmax: (x) => softmax(x, -1),
};

export function canActivate(name: string | undefined): boolean {
  return name === undefined || Object.hasOwn(ACTIVATIONS, name);
}

export function makeLstm({ weights, isCell }: FoundLstm, int8 = false): LSTM {
  const dict: StateDict = isCell ? withLayer(weights!) : weights!;
  const lstm = LSTM.fromStateDict(dict);
  if (!int8) return lstm;
  const small = lstm.quantize();
  lstm.dispose();
  return small;
}

/** The keys of a cell as those of an LSTM with one layer, which computes the same. */
function withLayer(weights: StateDict): StateDict {
  const list = weights instanceof Map ? [...weights] : Object.entries(weights);
  return new Map(list.map(([name, tensor]) => [name.replace(/(_scale)?$/, '_l0$1'), tensor]));
}

/** Counts the linear memory of what `make` makes, which is disposed of. */
export function bytesTaken(make: () => { dispose(): void }): number {
  const before = bytesUsed();
  const made = make();
  const bytes = bytesUsed() - before;
  made.dispose();
  return bytes;
}

/** Linear layers and the activation functions behind them. */
export class Heads {
  private readonly _layers: readonly (readonly [Linear, string | undefined])[];

  constructor(heads: readonly Head[], int8 = false) {
    this._layers = heads.map(({ weights, activation }) => {
      const linear = Linear.fromStateDict(weights);
      return [int8 ? linear.quantize() : linear, activation];
    });
  }

  run(x: TensorLike): TensorLike {
    return this._layers.reduce((value, [linear, activation]) => {
      const last = value.dims.at(-1);
      if (last !== linear.inFeatures)
        throw new CliError(`a linear layer takes ${linear.inFeatures} numbers a row, got ${last}`);
      return ACTIVATIONS[activation ?? 'linear']!(linear.forward(value));
    }, x);
  }

  dispose(): void {
    for (const [linear] of this._layers) linear.dispose();
  }
}

/** Makes an LSTM and what follows it ready to run: input (T, I) or (T, B, I), as nn.LSTM. */
export function makeLstmRunner(found: FoundLstm, heads: readonly Head[], { int8 = false } = {}): Runner {
  const lstm = makeLstm(found, int8);
  const behind = new Heads(heads, int8);
  return {
    inputs: [{ name: 'input', type: 'float32', dims: ['steps', lstm.inputSize], isFree: true }],
    outputs: ['output', 'hn', 'cn'],
    run: async (feeds, go) => {
      const input = feeds.get('input')!;
      const x = checkInput(input, lstm.inputSize);
      const { output, hn, cn } = await runPieces(lstm, found, x, go);
      return { output: behind.run(output), hn, cn };
    },
    dispose: () => {
      behind.dispose();
      lstm.dispose();
    },
  };
}

export function checkInput({ data, dims }: AnyValue, inputSize: number): TensorLike {
  const shaped = dims.length === 1 ? shapeVector(dims[0]!, inputSize) : dims;
  const fits = (shaped.length === 2 || shaped.length === 3) && shaped.at(-1) === inputSize;
  if (!fits) {
    throw new CliError(
      `the LSTM takes [steps, ${inputSize}] or [steps, samples, ${inputSize}], the input is ${formatDims(dims)}`,
    );
  }
  return { data: data instanceof Float32Array ? data : Float32Array.from(data as Int32Array, Number), dims: shaped };
}

/** A list of numbers is a step of an LSTM, or where that takes one number, all steps. */
function shapeVector(length: number, inputSize: number): readonly number[] {
  return inputSize === 1 ? [length, 1] : [1, length];
}

/** Runs a sequence in pieces that go on from each other, which gives the same bits; a bidirectional LSTM needs it whole. */
async function runPieces(
  lstm: LSTM,
  { initialState }: FoundLstm,
  x: TensorLike,
  go: Progress,
): Promise<{ output: TensorLike; hn: TensorLike; cn: TensorLike }> {
  const steps = x.dims[0]!;
  if (lstm.bidirectional || steps <= STEPS) {
    const result = lstm.forward(x, startFor(initialState, x));
    await go(1);
    return result;
  }
  const row = product(x.dims.slice(1));
  let output: Float32Array | undefined;
  let dims: readonly number[] = [];
  let state = startFor(initialState, x);
  for (let at = 0; at < steps; at += STEPS) {
    const count = Math.min(STEPS, steps - at);
    const piece = { data: x.data.subarray(at * row, (at + count) * row), dims: [count, ...x.dims.slice(1)] };
    const result = lstm.forward(piece, state);
    dims = result.output.dims.slice(1);
    output ??= new Float32Array(steps * product(dims));
    output.set(result.output.data, at * product(dims));
    state = { h0: result.hn, c0: result.cn };
    await go((at + count) / steps);
  }
  return { output: { data: output!, dims: [steps, ...dims] }, hn: state!.h0, cn: state!.c0 };
}

/** The first states of a file (L, H), or (L, 1, H) of ONNX, for an input without or with an axis of samples. */
export function startFor(start: FoundLstm['initialState'], x: TensorLike): FoundLstm['initialState'] {
  if (!start) return undefined;
  const shaped = ({ data, dims }: TensorLike): TensorLike => {
    const flat = [dims[0]!, dims.at(-1)!];
    if (x.dims.length === 2) return { data, dims: flat };
    const samples = x.dims[1]!;
    if (samples !== 1) throw new CliError(`its first states are those of one sequence, the input has ${samples}`);
    return { data, dims: [flat[0]!, 1, flat[1]!] };
  };
  return { h0: shaped(start.h0), c0: shaped(start.c0) };
}
