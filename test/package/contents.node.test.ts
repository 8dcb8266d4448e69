// The package as its users get it: packed by npm, and installed into an empty folder. dist/ must have been built.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decode } from '@jridgewell/sourcemap-codec';
import { beforeAll, describe, expect, it } from 'vitest';
import { root, runIn, temporaryFolder } from '../support/consumer.ts';

const folder = temporaryFolder();
const consumer = join(folder, 'consumer');
const installed = join(consumer, 'node_modules/lstm-wasm');
let tarball: string;

beforeAll(() => {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  npm(consumer, 'install', '--offline', '--no-audit', '--no-fund', tarball);
}, 60_000);

/** Runs npm as for a user: without what an npm that runs these tests has left in the environment. */
function npm(cwd: string, ...args: string[]): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const script = process.env.npm_execpath ?? '';
  const command = script.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
  const all = [...command, ...args, '--cache', join(folder, 'cache'), '--no-update-notifier'];
  execFileSync(all[0]!, all.slice(1), { cwd, env, stdio: 'pipe' });
}

const FILES = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'benchmarks/README.md',
  'benchmarks/charts/how-fast-dark.svg',
  'benchmarks/charts/how-fast-light.svg',
  'dist/audio.d.ts',
  'dist/audio.js',
  'dist/audio.js.map',
  'dist/cells.js',
  'dist/cells.js.map',
  'dist/cli/audio.js',
  'dist/cli/bench.js',
  'dist/cli/completion.js',
  'dist/cli/convert.js',
  'dist/cli/inspect.js',
  'dist/cli/keras.js',
  'dist/cli/main.LICENSE.txt',
  'dist/cli/main.js',
  'dist/cli/model.js',
  'dist/cli/onnx.js',
  'dist/cli/rolldown-runtime.js',
  'dist/cli/run.js',
  'dist/cli/table.js',
  'dist/cli/text.js',
  'dist/cli/trace.js',
  'dist/core.js',
  'dist/core.js.map',
  ...['audio', 'gru', 'index', 'keras', 'modules-gru', 'modules-onnx', 'modules', 'onnx', 'ort', 'self-test'].map(
    (name) => `dist/edge-light/${name}.js`,
  ),
  'dist/effects.js',
  'dist/effects.js.map',
  'dist/embedded-gru.js',
  'dist/embedded-gru.js.map',
  'dist/embedded-onnx.js',
  'dist/embedded-onnx.js.map',
  'dist/embedded.js',
  'dist/embedded.js.map',
  'dist/formats.js',
  'dist/formats.js.map',
  'dist/gru-kernels.js',
  'dist/gru-kernels.js.map',
  'dist/gru-layers.js',
  'dist/gru-layers.js.map',
  'dist/gru.d.ts',
  'dist/gru.js',
  'dist/gru.js.map',
  'dist/index.d.ts',
  'dist/index.js',
  'dist/keras.d.ts',
  'dist/keras.js',
  'dist/keras.js.map',
  'dist/lstm-gru.wasm',
  'dist/lstm-int8.wasm',
  'dist/lstm-onnx.wasm',
  'dist/lstm.wasm',
  'dist/more-kernels.js',
  'dist/more-kernels.js.map',
  'dist/onnx.LICENSE.txt',
  'dist/onnx.d.ts',
  'dist/onnx.js',
  'dist/onnx.js.map',
  'dist/operators.js',
  'dist/operators.js.map',
  'dist/ort.d.ts',
  'dist/ort.js',
  'dist/ort.js.map',
  'dist/pytorch.d.ts',
  'dist/pytorch.js',
  'dist/pytorch.js.map',
  'dist/register.d.ts',
  'dist/register.js',
  'dist/register.js.map',
  'dist/safetensors.d.ts',
  'dist/safetensors.js',
  'dist/safetensors.js.map',
  'dist/self-test.d.ts',
  'dist/self-test.js',
  'dist/self-test.js.map',
  'dist/shared.d.ts',
  'dist/wasm.d.ts',
  ...['audio', 'gru', 'index', 'keras', 'modules-gru', 'modules-onnx', 'modules', 'onnx', 'ort', 'self-test'].map(
    (name) => `dist/workerd/${name}.js`,
  ),
  'dist/worklet-messages.js',
  'dist/worklet-messages.js.map',
  'dist/worklet-processor.d.ts',
  'dist/worklet-processor.js',
  'dist/worklet-scope.d.ts',
  'dist/worklet-scope.js',
  'dist/worklet-scope.js.map',
  'dist/worklet-text.d.ts',
  'dist/worklet-text.js',
  'dist/worklet-text.js.map',
  'dist/worklet.d.ts',
  'dist/worklet.js',
  'dist/worklet.js.map',
  'dist/zip.LICENSE.txt',
  'dist/zip.js',
  'dist/zip.js.map',
  'docs/api.md',
  'docs/cli.md',
  'docs/formats/audio.md',
  'docs/formats/keras.md',
  'docs/formats/onnx.md',
  'docs/formats/ort.md',
  'docs/formats/pytorch.md',
  'docs/formats/safetensors.md',
  ...[
    'accuracy',
    'float32-or-8-bits',
    'keras-tfjs',
    'onnxruntime-web',
    'pytorch',
    'real-time-audio',
    'servers-and-edge',
    'something-else',
  ].map((name) => `docs/guides/${name}.md`),
  'docs/kernels.md',
  'docs/kernels.mjs',
  'docs/where-it-runs.md',
  'docs/worklet.md',
  'package.json',
];

describe('the tarball', () => {
  it('has these files', () => {
    const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    expect(list.map((path) => path.replace(/^package\//, '')).sort()).toEqual(FILES);
  });

  it('has what its documents link to', () => {
    for (const document of FILES.filter((path) => path.endsWith('.md'))) {
      const text = readFileSync(join(installed, document), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
      for (const link of links.filter((each) => !/^https?:/.test(each))) {
        expect(FILES, `a link of ${document}`).toContain(join(dirname(document), link).replaceAll('\\', '/'));
      }
    }
  });

  it('has for each bundle a map to our sources, with their code', () => {
    for (const name of FILES.filter((path) => path.endsWith('.js'))) {
      // imports and exports only; nothing but the modules' bytes; a file for worklets, whose code other maps have
      if (
        /^dist\/(index|embedded|embedded-gru|embedded-onnx|worklet-processor|(workerd|edge-light)\/.*)\.js$/.test(name)
      )
        continue;
      // the command shows no stack
      if (name.startsWith('dist/cli/')) continue;
      expect(readFileSync(join(installed, name), 'utf8')).toContain(`//# sourceMappingURL=${name.slice(5)}.map`);
      const { sources, sourcesContent, mappings } = JSON.parse(readFileSync(join(installed, `${name}.map`), 'utf8'));
      const ours = sources.map((path: string, i: number) => [path, sourcesContent[i]]);
      const code = ours.filter(([path]: [string]) => path.startsWith('../src/') && !path.endsWith('/embedded.ts'));
      expect(code.length).toBeGreaterThan(0);
      for (const [path, text] of code) {
        const whole = readFileSync(join(root, 'dist', path), 'utf8').replace(/\/\*(?!\*).*?\*\//g, '');
        const lines = whole.split('\n');
        expect(text.split('\n')).toHaveLength(lines.length);
        for (const [i, line] of text.split('\n').entries()) expect(lines[i]).toContain(line.trim());
      }
      expect(ours.filter(([, text]: [string, string]) => text !== '// not in this map')).toEqual(code);
      for (const [, source, line] of decode(mappings).flat()) {
        if (source === undefined) continue;
        expect(sources[source]).toMatch(/^\.\.\/src\//);
        if (code.includes(ours[source])) expect(sourcesContent[source].split('\n')[line!]).toMatch(/\S/);
      }
    }
  });

  it('has the licences of the code that it took in, and no other code than that', () => {
    const dist = join(installed, 'dist');
    const texts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.LICENSE.txt'),
    );
    const named = texts.flatMap((name) => readFileSync(join(dist, name), 'utf8').match(/^\S+ has code of \S+/gm));
    expect(named.sort()).toEqual([
      'cli/main.js has code of ansi-regex',
      'cli/main.js has code of asciichart',
      'cli/main.js has code of cli-progress',
      'cli/main.js has code of cli-table3',
      'cli/main.js has code of commander',
      'cli/main.js has code of emoji-regex',
      'cli/main.js has code of fast-png',
      'cli/main.js has code of fflate',
      'cli/main.js has code of iobuffer',
      'cli/main.js has code of is-fullwidth-code-point',
      'cli/main.js has code of picocolors',
      'cli/main.js has code of string-width',
      'cli/main.js has code of strip-ansi',
      'onnx.js has code of @bufbuild/protobuf',
      'zip.js has code of fflate',
    ]);
    expect(readFileSync(join(dist, 'zip.LICENSE.txt'), 'utf8')).toMatch(
      /MIT License\s+Copyright \(c\) \d+ Arjun Barrett/,
    );
    const protobuf = readFileSync(join(dist, 'onnx.LICENSE.txt'), 'utf8');
    expect(protobuf).toMatch(
      /Copyright 2021-2026 Buf Technologies[\s\S]*Apache License[\s\S]*END OF TERMS[\s\S]*2008 Google Inc/,
    );
    const bundles = readdirSync(dist).filter((name) => name.endsWith('.js.map'));
    const taken = bundles.filter((name) => readFileSync(join(dist, name), 'utf8').includes('node_modules/'));
    expect(taken).toEqual(['onnx.js.map', 'zip.js.map']);
  });

  it('is small', () => {
    expect(statSync(tarball).size).toBeLessThanOrEqual(690_000);
    const wasm = readFileSync(join(installed, 'dist/lstm.wasm'));
    expect(wasm.length).toBeLessThanOrEqual(16_000);
    expect(WebAssembly.validate(wasm)).toBe(true);
  });

  it('brings nothing along and runs nothing when it is installed', () => {
    const packages = readdirSync(join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(packages).toEqual(['lstm-wasm']);
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const wanted = /^(dependencies|(peer|optional|bundled?)dependencies)$/i;
    expect(Object.keys(manifest).filter((name) => wanted.test(name))).toEqual([]);
    expect(Object.keys(manifest.scripts).filter((name) => /install|^(pre|post)?prepare$/.test(name))).toEqual([]);
  });
});

describe('installed', () => {
  it('has the command, which runs from an empty folder', () => {
    const command = join(consumer, 'node_modules/.bin/lstm-wasm');
    const call = (...args: string[]) =>
      execFileSync(process.execPath, [command, ...args], { cwd: consumer, encoding: 'utf8' });
    expect(call('--version').trim()).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
    const found = JSON.parse(call('inspect', '--json', join(root, 'test/fixtures/onnx-ort/forward.onnx')));
    expect(found).toMatchObject({ format: 'ONNX', runs: true, lstms: [{ name: 'lstm', torch: true }] });
  });

  it('runs an LSTM, and has every entry point', () => {
    const result = runIn(
      consumer,
      `
      import { readFileSync } from 'node:fs';
      import { createRequire } from 'node:module';
      import * as main from 'lstm-wasm';
      import * as safetensors from 'lstm-wasm/safetensors';
      import * as pytorch from 'lstm-wasm/pytorch';
      import * as audio from 'lstm-wasm/audio';
      import * as onnx from 'lstm-wasm/onnx';
      import * as ort from 'lstm-wasm/ort';
      import * as keras from 'lstm-wasm/keras';
      import * as gru from 'lstm-wasm/gru';
      import * as worklet from 'lstm-wasm/worklet';
      import * as scope from 'lstm-wasm/worklet-scope';
      import { processorText } from 'lstm-wasm/worklet-text';
      import 'lstm-wasm/worklet-processor.js';
      const require = createRequire(import.meta.url);
      const lstm = new main.LSTM(10, 20, { numLayers: 2 });
      const { output, hn, cn } = lstm.forward({ data: new Float32Array(5 * 3 * 10), dims: [5, 3, 10] });
      const hidden = await import('lstm-wasm/dist/index.js').catch((error) => error.code);
      console.log(JSON.stringify({
        dims: [output.dims, hn.dims, cn.dims],
        lengths: [output.data.length, hn.data.length, cn.data.length],
        main: Object.keys(main).sort(),
        safetensors: Object.keys(safetensors).sort(),
        pytorch: Object.keys(pytorch).sort(),
        audio: Object.keys(audio).sort(),
        onnx: Object.keys(onnx).sort(),
        ort: [Object.keys(ort).sort(), Object.keys(ort.default).sort()],
        keras: Object.keys(keras).sort(),
        gru: Object.keys(gru).sort(),
        worklet: [Object.keys(worklet).sort(), Object.keys(scope)],
        processor: processorText === readFileSync(require.resolve('lstm-wasm/worklet-processor.js'), 'utf8'),
        wasm: require.resolve('lstm-wasm/lstm.wasm').replaceAll('\\\\', '/'),
        name: require('lstm-wasm/package.json').name,
        hidden,
      }));
    `,
    );
    expect(result).toEqual({
      dims: [
        [5, 3, 20],
        [2, 3, 20],
        [2, 3, 20],
      ],
      lengths: [300, 120, 120],
      main: [
        'Conv1d',
        'Embedding',
        'LSTM',
        'LSTMCell',
        'LayerNorm',
        'Linear',
        'ModelError',
        'bytesUsed',
        'initialize',
        'packPaddedSequence',
        'packSequence',
        'padPackedSequence',
        'padSequence',
        'relu',
        'sigmoid',
        'softmax',
        'tanh',
        'unpackSequence',
        'unpadSequence',
      ],
      safetensors: [
        'ModelError',
        'openSafetensors',
        'parseSafetensors',
        'parseSafetensorsShards',
        'serializeSafetensors',
      ],
      pytorch: ['ModelError', 'parseCheckpoint'],
      audio: ['ModelError', 'loadGuitarML', 'loadNam', 'loadRTNeural'],
      onnx: ['ModelError', 'loadOnnx', 'parseOnnx'],
      ort: [
        ['InferenceSession', 'ModelError', 'Tensor', 'default', 'env'],
        ['InferenceSession', 'Tensor', 'env'],
      ],
      keras: ['ModelError', 'loadKeras', 'parseKeras', 'readKerasWeights'],
      gru: ['GRU', 'GRUCell', 'ModelError', 'RNN', 'RNNCell'],
      worklet: [['LstmNode', 'ModelError'], ['registerEffect']],
      processor: true,
      wasm: expect.stringMatching(/consumer\/node_modules\/lstm-wasm\/dist\/lstm\.wasm$/),
      name: 'lstm-wasm',
      hidden: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
    });
  });

  it('has maps that lead a stack trace to the line that threw', () => {
    const [message, place] = runIn(
      consumer,
      `
      import { LSTM } from 'lstm-wasm';
      try {
        new LSTM(1, 2).forward({ data: new Float32Array(3), dims: [1, 2] });
      } catch (error) {
        console.log(JSON.stringify([error.message, error.stack.match(/lstm-wasm.(src.\\S+\\.ts):(\\d+)/).slice(1)]));
      }
    `,
      '--enable-source-maps',
    );
    const [path, line] = place;
    expect(message).toMatch(/expected 2 elements/);
    expect(readFileSync(join(root, path), 'utf8').split('\n')[line - 1]).toContain('new RangeError(');
  });

  it('has one ModelError for all entry points', () => {
    const result = runIn(
      consumer,
      `
      import * as main from 'lstm-wasm';
      import * as safetensors from 'lstm-wasm/safetensors';
      import * as pytorch from 'lstm-wasm/pytorch';
      import * as audio from 'lstm-wasm/audio';
      import * as onnx from 'lstm-wasm/onnx';
      import * as ort from 'lstm-wasm/ort';
      import * as keras from 'lstm-wasm/keras';
      import * as gru from 'lstm-wasm/gru';
      const all = [main, safetensors, pytorch, audio, onnx, ort, keras, gru];
      const thrown = (body) => {
        try {
          body();
        } catch (error) {
          return [...all.map(({ ModelError }) => error instanceof ModelError), error instanceof Error];
        }
      };
      const refusal = await ort.InferenceSession.create(new Uint8Array(3)).catch((error) => error);
      console.log(JSON.stringify([
        thrown(() => safetensors.parseSafetensors(new Uint8Array(3))),
        thrown(() => pytorch.parseCheckpoint(new Uint8Array(3))),
        thrown(() => audio.loadNam('{}')),
        thrown(() => onnx.parseOnnx(new Uint8Array(3))),
        thrown(() => { throw refusal; }),
        thrown(() => keras.readKerasWeights(new Uint8Array(3))),
        thrown(() => main.LSTM.fromStateDict({})),
        thrown(() => gru.GRU.fromStateDict({})),
        thrown(() => new main.LSTM(-1, 1)),
      ]));
    `,
    );
    const refused = Array(9).fill(true);
    expect(result).toEqual([...Array(8).fill(refused), [...Array(8).fill(false), true]]);
  });
});
