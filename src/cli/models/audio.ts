import { type AudioModel, loadGuitarML, loadNam, loadRTNeural } from '../../audio.ts';
import { ModelError, type TensorLike } from '../../index.ts';
import { CliError, messageOf } from '../errors.ts';
import { optionsOf } from '../lstm-options.ts';
import type { Chain, FoundLstm, Head, Model, Problem, Runner } from '../model.ts';
import { formatCount, formatDims, product } from '../text.ts';
import { bytesTaken, canActivate, makeLstm } from './lstm-runner.ts';

// Models of amplifiers and effects: one sample in, one sample out.

/** Samples that are played before the progress is told. */
const BLOCK = 1 << 14;

const READERS = { nam: loadNam, rtneural: loadRTNeural, guitarml: loadGuitarML };
const FORMATS = { nam: 'Neural Amp Modeler', rtneural: 'RTNeural JSON', guitarml: 'GuitarML JSON' };

/** @param json what `text` stands for, for facts of a model that is not supported */
export function audioModel(kind: keyof typeof READERS, text: string, json: Readonly<Record<string, unknown>>): Model {
  const load = () => READERS[kind](text);
  let model: AudioModel | undefined;
  let problem: Problem | undefined;
  try {
    model = load();
  } catch (error) {
    if (!(error instanceof ModelError && error.code.startsWith('unsupported'))) throw error;
    problem = { message: messageOf(error), isBad: false, error };
  }
  const layers = (model?.layers ?? []).map(({ stateDict, initialState, activation }) => ({
    stateDict,
    initialState,
    activation,
  }));
  const lstms: FoundLstm[] = [];
  const heads: Head[] = [];
  let isChain = true;
  const rows = layers.map(({ stateDict, initialState, activation }): string[] => {
    const count = formatCount([...stateDict.values()].reduce((sum, { data }) => sum + data.length, 0));
    if (isGru(stateDict)) {
      isChain = false;
      const [, H] = stateDict.get('weight_hh_l0')!.dims;
      const numLayers = stateDict.size / 4;
      return ['GRU', `${inputSize(stateDict)} -> ${H}`, numLayers > 1 ? `${numLayers} layers` : '', count];
    }
    if (stateDict.has('weight_ih_l0')) {
      isChain &&= heads.length === 0;
      const name = lstms.length === 0 ? 'lstm' : `lstm_${lstms.length}`;
      const found: FoundLstm = { name, weights: stateDict, options: {}, initialState: withoutZeros(initialState) };
      const lstm = makeLstm(found);
      lstms.push({ ...found, options: optionsOf(lstm) });
      lstm.dispose();
      return [
        'LSTM',
        `${lstm.inputSize} -> ${lstm.hiddenSize}`,
        lstm.numLayers > 1 ? `${lstm.numLayers} layers` : '',
        count,
      ];
    }
    const [outFeatures, inFeatures] = stateDict.get('weight')!.dims as [number, number];
    const name = heads.length === 0 ? 'head' : `head_${heads.length}`;
    isChain &&= lstms.length > 0 && canActivate(activation);
    heads.push({ name, weights: stateDict, inFeatures, outFeatures, activation });
    return ['Linear', `${inFeatures} -> ${outFeatures}`, activation ?? '', count];
  });
  const weights = layers.flatMap(({ stateDict }) => [...stateDict.values()]);
  const rate = model?.sampleRate ?? json.sample_rate;
  const inputs = layers[0] ? inputSize(layers[0].stateDict) : 1;
  const knobs = inputs - 1;
  const text_ = (key: string) =>
    typeof json[key] === 'string' || typeof json[key] === 'number' ? String(json[key]) : undefined;
  const facts = [
    ['architecture', text_('architecture')],
    ['version', text_('version')],
    ['sample rate', typeof rate === 'number' ? `${formatCount(rate)} Hz` : 'the file does not say'],
    ['knobs', model ? (knobs > 0 ? `${knobs}, given as --knob` : 'none') : undefined],
    ['the input is added', model?.skip ? 'yes, to the output of the last layer' : undefined],
  ] as const;
  return {
    format: FORMATS[kind],
    facts: facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    listings: model
      ? [
          {
            title: 'Layers',
            columns: [
              { title: 'layer' },
              { title: 'size' },
              { title: 'options' },
              { title: 'parameters', right: true },
            ],
            rows,
          },
        ]
      : [],
    details: {
      sampleRate: rate,
      knobs: model ? knobs : undefined,
      skip: model?.skip,
      layers: layers.map(({ stateDict, activation }) => ({
        layer: isGru(stateDict) ? 'GRU' : stateDict.has('weight_ih_l0') ? 'LSTM' : 'Linear',
        activation,
        weights: Object.fromEntries([...stateDict].map(([key, { dims }]) => [key, dims])),
      })),
    },
    lstms,
    parameters: weights.reduce((sum, { dims }) => sum + product(dims), 0),
    problem,
    memory: () => bytesTaken(load),
    runner: ({ int8, lstm, head, knobs: given = [] }) => {
      if (int8) throw new CliError('8-bit weights are for LSTM layers and ONNX: convert the model with --int8 first');
      if (lstm ?? head) throw new CliError('--lstm and --head are for state dicts: this file says itself how it runs');
      if (given.length !== knobs) {
        throw new CliError(
          `the model has ${knobs === 1 ? '1 knob' : `${knobs} knobs`}, given are ${given.length}: use --knob once for each`,
        );
      }
      return audioRunner(load(), given);
    },
    chain: async () => {
      if (problem) throw new CliError(problem.message);
      if (!isChain || lstms.length === 0)
        throw new CliError('only LSTM layers with linear layers behind them can be converted');
      const bad = lstms.length > 1 && lstms.some(({ initialState }) => initialState);
      if (bad)
        throw new CliError('it has several LSTMs that start with states of their own, which a state dict cannot hold');
      return audioChain(load(), lstms, heads, knobs);
    },
  };
}

/** Tells a GRU, whose tensors have the names of an LSTM's. */
function isGru(weights: ReadonlyMap<string, TensorLike>): boolean {
  const [rows, H] = weights.get('weight_hh_l0')?.dims ?? [];
  return rows === 3 * H!;
}

function inputSize(weights: ReadonlyMap<string, TensorLike>): number {
  return (weights.get('weight_ih_l0') ?? weights.get('weight'))!.dims[1]!;
}

function withoutZeros(state: FoundLstm['initialState']): FoundLstm['initialState'] {
  const isZero = ({ data }: TensorLike) => data.every((value) => value === 0);
  return state && !(isZero(state.h0) && isZero(state.c0)) ? state : undefined;
}

function audioRunner(model: AudioModel, knobs: readonly number[]): Runner {
  return {
    inputs: [{ name: 'input', type: 'float32', dims: ['samples'], isFree: true }],
    outputs: ['output'],
    sampleRate: model.sampleRate,
    isStream: true,
    run: async (feeds, go) => {
      const { data, dims } = feeds.get('input')!;
      const samples = data instanceof Float32Array ? data : Float32Array.from(data as Int32Array, Number);
      const [count = 0, channels = 1] = dims;
      if (dims.length > 2)
        throw new CliError(`an effect takes [samples] or [samples, channels], the input is ${formatDims(dims)}`);
      const output = new Float32Array(samples.length);
      for (let channel = 0; channel < channels; channel++) {
        model.reset();
        for (let at = 0; at < count; at += BLOCK) {
          const block = new Float32Array(Math.min(BLOCK, count - at));
          for (let i = 0; i < block.length; i++) block[i] = samples[(at + i) * channels + channel]!;
          model.process(block, block, knobs);
          for (let i = 0; i < block.length; i++) output[(at + i) * channels + channel] = block[i]!;
          await go((channel * count + at + block.length) / (channels * count));
        }
      }
      return { output: { data: output, dims } };
    },
    dispose: () => model.dispose(),
  };
}

function audioChain(model: AudioModel, lstms: readonly FoundLstm[], heads: readonly Head[], knobs: number): Chain {
  return {
    lstms,
    heads,
    skip: model.skip,
    hasKnobs: knobs > 0,
    answers: ({ data, dims }) => {
      const [steps, size] = dims as [number, number];
      const samples = Float32Array.from({ length: steps }, (_, t) => data[t * size]!);
      model.reset();
      model.process(samples, samples, data.slice(1, size));
      return [[samples]];
    },
  };
}
