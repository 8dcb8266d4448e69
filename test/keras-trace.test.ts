import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM } from '../src/index.ts';
import { type KerasModel, type LayerTrace, loadKeras } from '../src/keras.ts';
import { bits } from './support/bits.ts';
import { type LayerConfig, lstmWeights, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';

// KerasModel.trace(): the results of predict(), and the gates and states of each LSTM layer.

const NAMES = ['i', 'f', 'g', 'o', 'c', 'h'] as const;
const [B, T, I, H] = [2, 6, 3, 4];
const KERAS = '2.15.0';
const lstm = (config: object = {}) => ({ units: H, recurrent_activation: 'sigmoid', ...config });

function load(layers: LayerConfig[], weights: Record<string, Weight>, version = KERAS): KerasModel {
  return loadKeras(tfjs(sequential(layers, [null, T, I]), weights, version));
}

/** Checks that trace() gives what predict() gives, and leaves no memory behind. */
function traced(model: KerasModel, input: Weight): Record<string, LayerTrace> {
  const before = model.predict(input);
  const bytes = bytesUsed();
  const { outputs, nodes } = model.trace(input);
  expect(bytesUsed()).toBe(bytes);
  expect(outputs).toEqual(before);
  expect(model.trace([input]).outputs).toEqual([before]);
  expect(Object.getPrototypeOf(nodes)).toBe(null);
  return nodes as Record<string, LayerTrace>;
}

/** [T, B, H] as (B, T, H). */
const samplesFirst = ({ data, dims }: { data: Float32Array; dims: readonly number[] }): Float32Array => {
  const [steps, samples, units] = dims as [number, number, number];
  return Float32Array.from(data, (_, i) => {
    const [b, t, u] = [Math.floor(i / (steps * units)), Math.floor(i / units) % steps, i % units];
    return data[(t * samples + b) * units + u]!;
  });
};

/** The values of a step of a sample. */
const at = ({ data, dims: [, samples, units] }: LayerTrace['forward']['h'], t: number, b: number) =>
  Array.from(data.subarray((t * samples! + b) * units!, (t * samples! + b + 1) * units!));

describe('whole sequences', () => {
  test('h is the output, also of a layer that gives the last one alone', () => {
    const weights = { ...lstmWeights('a', I, H, 1), ...lstmWeights('b', H, H, 5) };
    const model = load(
      [
        ['LSTM', { name: 'a', ...lstm({ return_sequences: true }) }],
        ['LSTM', { name: 'b', ...lstm() }],
      ],
      weights,
    );
    const x = noise([B, T, I], 9);
    const { outputs } = model.trace(x);
    const nodes = traced(model, x);
    expect(Object.keys(nodes)).toEqual(['a', 'b']);
    for (const { forward, reverse } of Object.values(nodes)) {
      expect(reverse).toBe(undefined);
      for (const name of NAMES) expect(forward[name].dims, name).toEqual([T, B, H]);
    }
    for (let b = 0; b < B; b++) {
      expect(at(nodes.b!.forward.h, T - 1, b)).toEqual(Array.from(outputs.data.slice(b * H, (b + 1) * H)));
    }
    const only = load([['LSTM', { name: 'a', ...lstm({ return_sequences: true }) }]], lstmWeights('a', I, H, 1));
    expect(bits(samplesFirst(nodes.a!.forward.h))).toEqual(bits(only.predict(x)));
    for (const one of [model, only]) one.dispose();
  });

  test('the gates are those of an nn.LSTM with these weights', () => {
    const weights = lstmWeights('a', I, H, 1);
    const model = load([['LSTM', { name: 'a', ...lstm() }]], weights);
    const turned = ({ data, dims: [rows, columns] }: Weight) => ({
      data: Float32Array.from(data, (_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!),
      dims: [columns!, rows!],
    });
    const dict = {
      weight_ih_l0: turned(weights['a/kernel']!),
      weight_hh_l0: turned(weights['a/recurrent_kernel']!),
      bias_ih_l0: weights['a/bias']!,
      bias_hh_l0: { data: new Float32Array(4 * H), dims: [4 * H] },
    };
    const x = noise([B, T, I], 9);
    const torch = LSTM.fromStateDict(dict, { batchFirst: true });
    const wanted = torch.trace(x).layers[0]!.forward;
    const { forward } = traced(model, x).a!;
    for (const name of NAMES) expect(bits(samplesFirst(forward[name])), name).toEqual(bits(wanted[name]));
    for (const one of [model, torch]) one.dispose();
  });

  test.each(['hard_sigmoid', 'sigmoid'])('Bidirectional with %s: both directions, in the order of time', (gates) => {
    const config = { units: H, recurrent_activation: gates, return_sequences: true };
    const weights = {
      ...lstmWeights('both/forward_x', I, H, 1),
      ...lstmWeights('both/backward_x', I, H, 5),
    };
    const model = load([['Bidirectional', { name: 'both', layer: { class_name: 'LSTM', config } }]], weights);
    const x = noise([B, T, I], 9);
    const { forward, reverse } = traced(model, x).both!;
    const { data } = model.predict(x);
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++) {
        const row = (b * T + t) * 2 * H;
        expect([...at(forward.h, t, b), ...at(reverse!.h, t, b)]).toEqual([...data.slice(row, row + 2 * H)]);
      }
    }
    model.dispose();
  });

  test('go_backwards: the steps in the order of the outputs', () => {
    const model = load(
      [['LSTM', { name: 'a', ...lstm({ return_sequences: true, go_backwards: true }) }]],
      lstmWeights('a', I, H, 1),
    );
    const x = noise([B, T, I], 9);
    expect(bits(samplesFirst(traced(model, x).a!.forward.h))).toEqual(bits(model.predict(x)));
    model.dispose();
  });
});

describe('masked steps', () => {
  const mask = [0, 1, 0, 0, 1, 0];
  const input = noise([B, T, I], 9);
  // the first sample is masked here and there, the second not at all
  for (const [t, kept] of mask.entries()) if (!kept) input.data.fill(0, t * I, (t + 1) * I);
  const short = { data: new Float32Array(2 * I), dims: [1, 2, I] };
  short.data.set(input.data.subarray(I, 2 * I));
  short.data.set(input.data.subarray(4 * I, 5 * I), I);
  const whole = { data: input.data.slice(T * I), dims: [1, T, I] };
  const zeros = Array<number>(H).fill(0);

  test.each([false, true])('gates are zeros, states stay (Bidirectional: %s)', (both) => {
    const config = lstm({ return_sequences: true });
    const weights = both
      ? { ...lstmWeights('a/forward_x', I, H, 1), ...lstmWeights('a/backward_x', I, H, 5) }
      : lstmWeights('a', I, H, 1);
    const layer: LayerConfig = both
      ? ['Bidirectional', { name: 'a', layer: { class_name: 'LSTM', config } }]
      : ['LSTM', { name: 'a', ...config }];
    const model = load([['Masking', {}], layer], weights);
    const plain = loadKeras(tfjs(sequential([layer], [null, null, I]), weights, KERAS));
    const trace = traced(model, input).a!;
    const [alone, other] = [short, whole].map((one) => plain.trace(one).nodes.a!);
    for (const direction of both ? (['forward', 'reverse'] as const) : (['forward'] as const)) {
      const values = trace[direction]!;
      for (const name of NAMES) {
        const isState = name === 'c' || name === 'h';
        // a state at a masked step is that of the last step before it, in the direction
        const first = at(alone![direction]![name], 0, 0);
        const second = at(alone![direction]![name], 1, 0);
        const wanted =
          direction === 'forward'
            ? [zeros, first, first, first, second, second]
            : [first, first, second, second, second, zeros];
        for (const [t, kept] of mask.entries()) {
          expect(at(values[name], t, 0), `${direction} ${name} ${t}`).toEqual(kept || isState ? wanted[t] : zeros);
        }
        for (let t = 0; t < T; t++) expect(at(values[name], t, 1)).toEqual(at(other![direction]![name], t, 0));
      }
    }
    for (const one of [model, plain]) one.dispose();
  });

  test('masked steps at the beginning have the state of the call before, if the layer is stateful', () => {
    const config = lstm({ stateful: true });
    const model = load(
      [
        ['Masking', {}],
        ['LSTM', { name: 'a', ...config }],
      ],
      lstmWeights('a', I, H, 1),
    );
    const first = model.trace(input).nodes.a!.forward;
    const second = model.trace(input).nodes.a!.forward;
    for (const name of ['h', 'c'] as const) expect(at(second[name], 0, 0)).toEqual(at(first[name], T - 1, 0));
    expect(at(second.f, 0, 0)).toEqual(zeros);
    model.dispose();
  });
});

test('stateful layers go on from a trace as from predict()', () => {
  const layers: LayerConfig[] = [['LSTM', { name: 'a', ...lstm({ stateful: true, return_sequences: true }) }]];
  const [one, two] = [0, 1].map(() => load(layers, lstmWeights('a', I, H, 1))) as [KerasModel, KerasModel];
  for (let call = 0; call < 4; call++) {
    const x = noise([B, T, I], 20 + call);
    const wanted = one.predict(x);
    expect(call % 2 ? two.trace(x).outputs : two.predict(x)).toEqual(wanted);
  }
  two.resetStates();
  one.resetStates();
  const x = noise([1, T, I], 30);
  expect(two.trace(x).outputs).toEqual(one.predict(x));
  for (const model of [one, two]) model.dispose();
});

test('several calls of a layer, and the cells of an RNN', () => {
  const cell = (name: string) => ({ class_name: 'LSTMCell', config: { name, ...lstm() } });
  const stack = { class_name: 'StackedRNNCells', config: { name: 's', cells: [cell('one'), cell('two')] } };
  const weights = {
    ...Object.fromEntries(
      Object.entries({ ...lstmWeights('rnn/one', I, H, 1), ...lstmWeights('rnn/two', H, H, 5) }).map(
        ([name, value]) => [name.replace('rnn/', 'rnn/stacked_rnn_cells/'), value],
      ),
    ),
  };
  const model = load([['RNN', { name: 'rnn', cell: stack, return_sequences: true }]], weights, 'tfjs-layers 4.22.0');
  const x = noise([B, T, I], 9);
  const nodes = traced(model, x);
  expect(Object.keys(nodes)).toEqual(['rnn', 'rnn (2)']);
  expect(bits(samplesFirst(nodes['rnn (2)']!.forward.h))).toEqual(bits(model.predict(x)));
  const plain = load(
    [
      ['LSTM', { name: 'a', ...lstm({ return_sequences: true }) }],
      ['LSTM', { name: 'b', ...lstm({ return_sequences: true }) }],
    ],
    { ...lstmWeights('a', I, H, 1), ...lstmWeights('b', H, H, 5) },
  );
  const two = traced(plain, x);
  for (const name of NAMES) {
    expect(nodes.rnn!.forward[name]).toEqual(two.a!.forward[name]);
    expect(nodes['rnn (2)']!.forward[name]).toEqual(two.b!.forward[name]);
  }
  for (const one of [model, plain]) one.dispose();
});

test('a model without an LSTM, and what is refused as predict() refuses it', () => {
  const dense = { 'd/kernel': noise([I, 2]), 'd/bias': noise([2]) };
  const model = loadKeras(tfjs(sequential([['Dense', { name: 'd', units: 2 }]], [null, I]), dense, KERAS));
  const { outputs, nodes } = model.trace(noise([1, I]));
  expect([outputs, Object.keys(nodes)]).toEqual([model.predict(noise([1, I])), []]);
  expect(() => model.trace(noise([1, I + 1]))).toThrow('expected [any, 3], got [1, 4]');
  expect(() => model.trace([])).toThrow('"input" expected 1 tensors');
  model.dispose();
  expect(() => model.trace(noise([1, I]))).toThrow(/used after dispose/);
});
