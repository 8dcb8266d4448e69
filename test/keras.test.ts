import { expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadKeras } from '../src/keras.ts';
import { parseSafetensors } from '../src/safetensors.ts';
import { readFixture, readJson } from './support/fixtures.ts';
import { filled, type LayerConfig, nested, sequential, tfjs } from './support/keras-files.ts';

// What TensorFlow.js and Keras say: models with their answers, and the literal numbers of tfjs-layers' own tests.

const { cases } = await readJson('keras/index.json');
const { cases: literals } = await readJson('keras/tfjs_literals.json');

test.each(cases as any[])('$name: $what', async (row) => {
  const data = parseSafetensors(await readFixture(`keras/${row.data}`));
  const json = new TextDecoder().decode(await readFixture(`keras/${row.model}`));
  const weights = await readFixture(`keras/${row.weights}`);
  for (const modelJson of [json, JSON.parse(json)]) {
    const model = loadKeras({ modelJson, weights });
    const inputs = ['input', 'initial_h', 'initial_c'].flatMap((name) => data.get(name) ?? []) as any[];
    const results = model.predict(inputs);
    const names = ['prediction', 'output', 'h_n', 'c_n'].filter((name) => data.has(name));
    expect(results.length).toBeGreaterThan(0);
    for (const [i, result] of results.entries()) {
      const wanted = data.get(names[i]!)!;
      expect(result.dims).toEqual(wanted.dims);
      expectClose(result.data, wanted.data as Float32Array, 2 ** -22);
    }
    model.dispose();
  }
});

test('the fixtures are all there', () => {
  expect([cases.length, literals.length]).toEqual([4, 8]);
});

/** A tensor of the literals: a number fills it. */
function weight(dims: number[], value: any) {
  return typeof value === 'number' ? filled(dims, value) : nested(value);
}

function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(actual[i]! - wanted[i]!), `[${i}] ${actual[i]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(wanted[i]!)),
    );
  }
}

test.each(literals as any[])('tfjs: $test', (row) => {
  const { units, expect: wanted } = row;
  const masked = row.mask_true_steps !== undefined || row.tokens !== undefined;
  const shape: number[] = row.tokens ? [4, 3, 2] : row.input.shape;
  const [batch, steps, features] = shape as [number, number, number];
  const weights: Record<string, any> = {};
  const layers: LayerConfig[] = [];
  let input: any = row.input?.values ? nested(row.input.values) : filled(shape, 1);
  if (masked) {
    layers.push(['Embedding', { name: 'embedding', input_dim: 10, output_dim: features, mask_zero: true }]);
    weights['embedding/embeddings'] = filled([10, features], 1);
    const tokens =
      row.tokens ??
      row.mask_true_steps.map((kept: number) => Array.from({ length: steps }, (_, t) => (t < kept ? 1 : 0)));
    input = nested(tokens);
    if (row.embedding) weights['embedding/embeddings'] = { ...nested([...row.embedding, ...Array(6).fill([0, 0])]) };
  }
  const options = {
    units,
    activation: 'tanh',
    recurrent_activation: 'hard_sigmoid',
    go_backwards: row.go_backwards ?? false,
    return_sequences: 'output_at_step' in wanted || row.name === 'mask_return_sequences',
    return_state: 'h_n' in wanted || 'h_n_per_row' in wanted,
    stateful: row.stateful_calls !== undefined,
  };
  const scopes = row.bidirectional ? ['lstm/forward_x/', 'lstm/backward_x/'] : ['lstm/'];
  for (const scope of scopes) {
    weights[`${scope}kernel`] = weight([features, 4 * units], row.kernel);
    weights[`${scope}recurrent_kernel`] = weight([units, 4 * units], row.recurrent_kernel);
    weights[`${scope}bias`] = weight([4 * units], row.bias);
  }
  const lstm = { class_name: 'LSTM', config: { name: 'x', ...options } };
  if (row.bidirectional) layers.push(['Bidirectional', { name: 'lstm', layer: lstm, merge_mode: row.bidirectional }]);
  else layers.push(['LSTM', { name: 'lstm', ...options }]);
  if (row.dense_kernel_ones_units_1) {
    layers.push(['Dense', { name: 'dense', units: 1 }]);
    weights['dense/kernel'] = filled([units, 1], 1);
    weights['dense/bias'] = filled([1], 0);
  }
  const topology: any = sequential(layers, masked ? [null, steps] : [null, steps, features]);
  const all = functional(topology, options.return_state ? 3 : 1);
  const model = loadKeras(tfjs(all, weights));
  const run = () => model.predict([input]);
  if (wanted.last_output_per_call) {
    for (let round = 0; round < 2; round++) {
      for (const value of wanted.last_output_per_call)
        expectClose(run()[0]!.data, filled([batch, units], value).data, row.tol);
      model.resetStates();
    }
  } else {
    const [output, h, c] = run();
    const per = (values: number[]) => values.flatMap((value) => Array(units).fill(value));
    if (wanted.output_at_step) {
      expectClose(output!.data, Array(batch).fill(per(wanted.output_at_step)).flat(), row.tol);
      expectClose(h!.data, filled([batch, units], wanted.h_n).data, row.tol);
      expectClose(c!.data, filled([batch, units], wanted.c_n).data, row.tol);
    } else if (wanted.h_n_per_row) {
      expectClose(h!.data, per(wanted.h_n_per_row), row.tol);
      expectClose(c!.data, per(wanted.c_n_per_row), row.tol);
    } else {
      const values = (wanted.prediction ?? wanted.output).flat(Infinity);
      // one number stands for the three of a step
      const repeated = output!.data.length / values.length;
      expectClose(
        output!.data,
        values.flatMap((value: number) => Array(repeated).fill(value)),
        row.tol,
      );
    }
  }
  model.dispose();
});

/** A Sequential model as a functional one that gives all outputs of its last layer. */
function functional(model: any, outputs: number) {
  const { layers } = model.config;
  const shape = layers[0].config.batch_input_shape;
  let last = 'in';
  const list = [
    {
      name: 'in',
      class_name: 'InputLayer',
      config: { name: 'in', batch_input_shape: shape },
      inbound_nodes: [] as any[],
    },
  ];
  for (const { class_name, config } of layers) {
    list.push({ name: config.name, class_name, config, inbound_nodes: [[[last, 0, 0, {}]]] });
    last = config.name;
  }
  const ends = Array.from({ length: outputs }, (_, index) => [last, 0, index]);
  return {
    class_name: 'Model',
    config: { name: 'm', layers: list, input_layers: [['in', 0, 0]], output_layers: ends },
  };
}

test('dispose gives all memory back', async () => {
  const before = bytesUsed();
  const json = new TextDecoder().decode(await readFixture('keras/default_hardsigmoid.model.json'));
  const model = loadKeras({ modelJson: json, weights: await readFixture('keras/default_hardsigmoid.weights.bin') });
  expect(bytesUsed()).toBeGreaterThan(before);
  model.dispose();
  model.dispose();
  expect(bytesUsed()).toBe(before);
  expect(() => model.predict({ data: [], dims: [] })).toThrow('KerasModel: used after dispose()');
  expect(() => model.resetStates()).toThrow('KerasModel: used after dispose()');
});
