import { describe, expect, test } from 'vitest';
import { loadNam } from '../src/audio.ts';
import { nam } from './support/audio-files.ts';
import { expectClose, play, refusal, x } from './support/effects.ts';
import { type Matrix, type State, sequence } from './support/oracle.ts';

// Containers of Neural Amp Modeler. The expected samples are computed in float64 from the numbers of the file.

type Nam = ReturnType<typeof nam>;

/** Plays a NAM LSTM in float64: its weights are a matrix [4H][I + H], biases, h and c for each layer, then the head. */
function namOracle({ config, weights }: Nam, input: readonly number[]): number[] {
  const { hidden_size: H, num_layers: layers } = config;
  let at = 0;
  const take = (size: number) => {
    at += size;
    return weights.slice(at - size, at);
  };
  const tensors: [string, Matrix][] = [];
  const states: State[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const I = layer ? H : config.input_size;
    const rows = Array.from({ length: 4 * H }, () => take(I + H));
    tensors.push([`weight_ih_l${layer}`, { data: rows.flatMap((row) => row.slice(0, I)), dims: [4 * H, I] }]);
    tensors.push([`weight_hh_l${layer}`, { data: rows.flatMap((row) => row.slice(I)), dims: [4 * H, H] }]);
    tensors.push([`bias_ih_l${layer}`, { data: take(4 * H), dims: [4 * H] }]);
    states.push({ h: take(H), c: take(H) });
  }
  const [head, [bias]] = [take(H), take(1)];
  const { output } = sequence(
    new Map(tensors),
    layers,
    false,
    input.map((v) => [v]),
    states,
  );
  return output.map((h) => h.reduce((sum, value, j) => sum + value * head[j]!, bias!));
}

const small = nam({ seed: 2, H: 3 });
const deep = nam({ seed: 3, H: 5, layers: 2 });
const wide = nam({ seed: 4, H: 8 });
const container = (architecture: string, config: object, rest: object = {}) => {
  return { version: '0.7.0', architecture, config, ...rest };
};
const inOrder = namOracle(wide, namOracle(deep, namOracle(small, [...x])));

describe("NAM's containers", () => {
  const bare = ({ architecture, config, weights }: Nam) => ({ architecture, config, weights });

  test.each<[string, object]>([
    ['models', container('Sequential', { weights_version: 2, models: [small, deep, wide] }, { weights: [] })],
    ['layers, without weights_version', container('sequential', { layers: [small, deep, wide] })],
    ['entries { model }', container('Sequential', { models: [{ model: small }, deep, { model: wide }] })],
    ['models without a version', container('Sequential', { models: [small, deep, wide].map(bare) })],
    [
      'a Sequential in one',
      container('Sequential', { models: [small, container('Sequential', { models: [deep, wide] })] }),
    ],
  ])('a Sequential plays one after the other: %s', (_, file) => {
    expectClose(play(loadNam(JSON.stringify(file))), inOrder);
    expect(play(loadNam(file))).toEqual(play(loadNam(JSON.stringify(file))));
  });

  test('the order of the models matters', () => {
    const expected = namOracle(small, namOracle(wide, namOracle(deep, [...x])));
    expectClose(play(loadNam(container('Sequential', { models: [deep, wide, small] }))), expected);
  });

  const slim = (...entries: [number, object][]) => {
    return container('SlimmableContainer', {
      submodels: entries.map(([max_value, model]) => ({ max_value, model })),
    });
  };

  test('a SlimmableContainer plays the last submodel, the full size', () => {
    const expected = namOracle(wide, [...x]);
    expectClose(play(loadNam(slim([0.33, small], [0.66, deep], [1, wide]))), expected);
    expectClose(play(loadNam(slim([2, wide]))), expected);
    expectClose(play(loadNam(slim([0.5, { architecture: 'WaveNet' }], [1, wide]))), expected);
  });

  test('a SlimmableContainer in a Sequential, and a Sequential in a SlimmableContainer', () => {
    const sequential = container('Sequential', { models: [small, deep] });
    expectClose(play(loadNam(container('Sequential', { models: [small, deep, slim([1, wide])] }))), inOrder);
    expectClose(play(loadNam(slim([0.5, small], [1, sequential]))), namOracle(deep, namOracle(small, [...x])));
  });

  test('each starts in its state again after reset()', () => {
    const model = loadNam(container('Sequential', { models: [small, deep, wide] }));
    const [first, second] = [new Float32Array(x.length), new Float32Array(x.length)];
    model.process(x, first);
    model.reset();
    model.process(x, second);
    expect(second).toEqual(first);
    model.dispose();
  });

  test('the first model may have knobs', () => {
    const model = loadNam(container('Sequential', { models: [nam({ I: 2 }), small] }));
    expect(() => model.process(x, x.slice(), [])).toThrow('the model has 1 knobs');
    model.dispose();
  });

  test.each<[string, object, number | undefined]>([
    ['its own', { sample_rate: 44_100 }, 44_100],
    ['that of its models', {}, 48_000],
  ])('sample rate: %s', (_, rest, expected) => {
    const inner = 'sample_rate' in rest ? [small, deep].map(bare) : [small, bare(deep)];
    for (const file of [
      container('Sequential', { models: inner }, rest),
      { ...slim([0.5, inner[1]!], [1, inner[0]!]), ...rest },
    ]) {
      const model = loadNam(file);
      expect(model.sampleRate).toBe(expected);
      model.dispose();
    }
  });

  const wavenet = { architecture: 'WaveNet', config: { layers: [] }, weights: [] };
  test.each<[string, object, string, string]>([
    ['no models', container('Sequential', { models: [] }), 'wrong-length', 'config.models'],
    ['neither models nor layers', container('Sequential', {}), 'missing-field', 'config.layers'],
    ['weights of its own', container('Sequential', { models: [small] }, { weights: [1] }), 'unsupported', 'weights'],
    [
      'another version of weights',
      container('Sequential', { weights_version: 1, models: [small] }),
      'unsupported',
      'config.weights_version',
    ],
    [
      'a WaveNet',
      container('Sequential', { models: [small, wavenet] }),
      'unsupported',
      'config.models[1].architecture',
    ],
    [
      'two inputs in the middle',
      container('Sequential', { models: [small, nam({ I: 2 })] }),
      'size-mismatch',
      'config.models[1].config.input_size',
    ],
    ['two rates', container('Sequential', { models: [small, { ...deep, sample_rate: 44_100 }] }), 'unsupported', ''],
    [
      'an old model',
      container('Sequential', { models: [{ ...small, version: '0.4.0' }] }),
      'unsupported',
      'config.models[0].version',
    ],
    ['no version', { architecture: 'Sequential', config: { models: [small] } }, 'missing-field', 'version'],
    ['no submodels', container('SlimmableContainer', { submodels: [] }), 'wrong-length', 'config.submodels'],
    ['sizes that fall', slim([0.5, small], [0.4, deep], [1, wide]), 'wrong-value', 'config.submodels[1].max_value'],
    ['one size twice', slim([1, small], [1, wide]), 'wrong-value', 'config.submodels[1].max_value'],
    ['a size that is a string', slim(['1' as never, small]), 'wrong-value', 'config.submodels[0].max_value'],
    ['no full size', slim([0.5, small]), 'wrong-value', 'config.submodels[0].max_value'],
    [
      'a WaveNet of full size',
      slim([0.5, small], [1, wavenet]),
      'unsupported',
      'config.submodels[1].model.architecture',
    ],
    ['two rates of submodels', slim([0.5, { ...small, sample_rate: 96_000 }], [1, wide]), 'unsupported', ''],
    ['models that are numbers', container('Sequential', { models: [1, 2] }), 'wrong-type', 'config.models[0]'],
  ])('refused: %s', (_, file, code, path) => {
    const error = refusal(() => loadNam(JSON.stringify(file)));
    expect({ code: error.code, path: error.path }).toEqual({ code, path });
  });

  test('containers in one another have an end', () => {
    let file: object = wide;
    for (let level = 0; level < 7; level++) file = container('Sequential', { models: [file] });
    expectClose(play(loadNam(file)), namOracle(wide, [...x]));
    expect(refusal(() => loadNam(container('Sequential', { models: [file] }))).code).toBe('too-deep');
    const own = container('Sequential', { models: [] as object[] });
    (own.config as { models: object[] }).models.push(own);
    expect(refusal(() => loadNam(own)).code).toBe('too-deep');
  });
});
