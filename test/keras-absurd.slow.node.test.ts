import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// Valid but absurd models, and large ones of each shape that a file can have, in processes of their own. Needs dist/.

const root = fileURLToPath(new URL('..', import.meta.url));

test('absurd models are refused or run, each soon and in little memory', { timeout: 120_000 }, () => {
  const script = fileURLToPath(new URL('../scripts/absurd-keras.mjs', import.meta.url));
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['--max-old-space-size=256', script, '800', '0'],
    {
      encoding: 'utf8',
    },
  );
  const last = stderr.trim().split('\n').slice(-3).join('\n');
  expect({ status, signal, stdout }, last).toEqual({ status: 0, signal: null, stdout: '' });
  // most get past the checks of a file: some run, some are refused for their sizes
  const outcomes = JSON.parse(last.split('\n').at(-1)!);
  expect(outcomes.ran).toBeGreaterThan(200);
  expect(outcomes['too-large']).toBeGreaterThan(50);
});

/** Makes files whose size grows with `n`; each has one shape that might take more than its size in effort. */
const PROGRAM = `
  import { loadKeras, readKerasWeights } from 'lstm-wasm/keras';
  import { FORMS } from './scripts/write-keras.mjs';
  const version = '2.15.0';
  const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
  const layer = (class_name, config, inbound_nodes = [], weights = []) => ({ class_name, name: config.name, config, inbound_nodes, weights });
  const call = (...names) => [names.map((name) => [name, 0, 0, {}])];
  const input = layer('InputLayer', { name: 'in', batch_input_shape: [null, 4] });
  const functional = (layers, outputs) => ({ class_name: 'Functional', config: { layers: [input, ...layers], input_layers: [['in', 0, 0]], output_layers: outputs } });
  const sequential = (layers) => ({ class_name: 'Sequential', config: { layers: [input, ...layers] } });
  const describe = (model, layers = []) => ({ model, layers, version });
  const dense = (i, from = 'in') => layer('Dense', { name: 'd' + i, units: 4 }, call(from), [
    { name: 'kernel', folder: '', dims: [4, 4] }, { name: 'bias', folder: '', dims: [4] }]);
  const denses = (n) => range(n, (i) => dense(i));
  const KINDS = {
    'many layers in a row': (n) => FORMS.tfjs(describe(sequential(range(n, (i) => layer('Dropout', { name: 'd' + i }))))),
    'many layers on one': (n) => FORMS.tfjs(describe(functional(range(n, (i) => layer('Dropout', { name: 'd' + i }, call('in'))), [['d0', 0, 0]]))),
    'a chain from its end': (n) => FORMS.tfjs(describe(functional(range(n, (i) => layer('Dropout', { name: 'd' + i }, call(i + 1 < n ? 'd' + (i + 1) : 'in'))), [['d0', 0, 0]]))),
    'inputs of one layer among others': (n) => {
      const others = range(n, (i) => layer('Dropout', { name: 'd' + i }, call('in')));
      return FORMS.tfjs(describe(functional([layer('Dropout', { name: 'e' }, call(...range(8 * n, (i) => 'd' + (i % n)))), ...others], [['e', 0, 0]])));
    },
    'a chain of layers with many inputs each': (n) =>
      FORMS.tfjs(describe(functional(range(n, (i) => layer('Dropout', { name: 'd' + i }, call(...range(8, () => (i ? 'd' + (i - 1) : 'in'))))), [['d0', 0, 0]]))),
    'outputs': (n) => FORMS.tfjs(describe(functional([layer('Dropout', { name: 'd' }, call('in'))], range(8 * n, () => ['d', 0, 0])))),
    'long names': (n) => FORMS.tfjs(describe(functional(range(8, (i) => layer('Dropout', { name: 'd' + 'x'.repeat(20 * n) + i }, call('in'))), [['d' + 'x'.repeat(20 * n) + '0', 0, 0]]))),
    'a long text': (n) => FORMS.tfjs(describe(sequential([layer('Dropout', { name: 'd', comment: 'é'.repeat(100 * n) })]))),
    'deep values': (n) => {
      const deep = range(100, () => 0).reduce((inner) => [inner], 0);
      return FORMS.tfjs(describe(sequential([layer('Dropout', { name: 'd', deep: range(n >> 2, () => deep) })])));
    },
    'many tensors': (n) => FORMS.tfjs(describe(sequential(denses(n >> 1)), denses(n >> 1))),
    'many tensors of many shards': (n) => {
      const { source, bytes } = FORMS.tfjs(describe(sequential(denses(n >> 1)), denses(n >> 1)));
      const json = JSON.parse(source.modelJson);
      const [group] = json.weightsManifest;
      const weights = range(source.weights.length / 16, (i) => source.weights.subarray(16 * i, 16 * i + 16));
      group.paths = weights.map((_, i) => String(i).padStart(9, '0'));
      return { source: { modelJson: JSON.stringify(json), weights }, bytes };
    },
    'tensors of no layer': (n) => {
      const { source } = FORMS.tfjs(describe(sequential(denses(1)), denses(1)));
      const json = JSON.parse(source.modelJson);
      json.weightsManifest[0].weights.push(...range(n, (i) => ({ name: 'd0/more/' + i, shape: [0], dtype: 'float32' })));
      const modelJson = JSON.stringify(json);
      return { source: { ...source, modelJson }, bytes: modelJson.length };
    },
    'many layers in .keras': (n) => FORMS.keras(describe(sequential(denses(n >> 2)), denses(n >> 2))),
    'many layers in .h5': (n) => FORMS.h5(describe(sequential(denses(n >> 2)), denses(n >> 2))),
    'many layers, JSON and .h5': (n) => FORMS.pair(describe(sequential(denses(n >> 2)), denses(n >> 2))),
  };
  const load = (file) => {
    try {
      const model = loadKeras(file.source);
      model.dispose();
      return 'loaded';
    } catch (error) {
      return error.code ?? String(error);
    }
  };
`;

const run = (program: string) => {
  const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', PROGRAM + program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
};

describe('effort', () => {
  test.each<[kind: string, count: number, outcome: string]>([
    ['many layers in a row', 120, 'loaded'],
    ['many layers on one', 100, 'loaded'],
    ['a chain from its end', 100, 'loaded'],
    ['inputs of one layer among others', 25, 'wrong-inputs'],
    ['a chain of layers with many inputs each', 20, 'wrong-inputs'],
    ['outputs', 60, 'loaded'],
    ['long names', 100, 'loaded'],
    ['a long text', 100, 'loaded'],
    ['deep values', 60, 'loaded'],
    ['many tensors', 50, 'loaded'],
    ['many tensors of many shards', 50, 'loaded'],
    ['tensors of no layer', 150, 'unexpected-weight'],
    ['many layers in .keras', 100, 'loaded'],
    ['many layers in .h5', 100, 'loaded'],
    ['many layers, JSON and .h5', 100, 'loaded'],
  ])('%s: 16 times the file takes 16 times the effort, not 256 times', (kind, count, outcome) => {
    const { small, large, outcomes, bytes } = run(`
      const effort = (file, times) => {
        const start = process.cpuUsage();
        const outcomes = Array.from({ length: times }, () => load(file));
        return [process.cpuUsage(start).user, outcomes[0]];
      };
      const files = [1, 16].map((times) => KINDS[${JSON.stringify(kind)}](${count} * times));
      effort(files[0], 16);
      // rounds together: some engines count processor time in steps of milliseconds
      const rounds = Array.from({ length: 8 }, () => [effort(files[0], 16), effort(files[1], 1)]);
      const [small, large] = [0, 1].map((i) => rounds.reduce((sum, round) => sum + round[i][0], 1));
      console.log(JSON.stringify({ small, large, outcomes: rounds[0].map(([, one]) => one), bytes: files.map((file) => file.bytes) }));
    `);
    expect(outcomes).toEqual([outcome, outcome]);
    // as large as it should be, so that the same number of bytes is read: 1 if the effort is linear, 16 if it is quadratic
    expect(bytes[1] / bytes[0]).toBeGreaterThan(8);
    expect(large / small).toBeLessThan(4);
  });
});
