// The package as its users get it: packed by npm, installed into an empty folder, and there imported, type-checked and
// bundled. dist/ must have been built. What needs a thread without kernels, or without some global, is a process of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { typeErrors } from './support/typecheck.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

let folder: string;
let tarball: string;
/** A project that has nothing but the package. */
let consumer: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-package-'));
  consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  npm(consumer, 'install', '--offline', '--no-audit', '--no-fund', tarball);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs npm as for a user: without what an npm that runs these tests has left in the environment. */
function npm(cwd: string, ...args: string[]): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const script = process.env.npm_execpath ?? '';
  const command = script.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
  const all = [...command, ...args, '--cache', join(folder, 'cache'), '--no-update-notifier'];
  execFileSync(all[0]!, all.slice(1), { cwd, env, stdio: 'pipe' });
}

/** The JSON that an ES module prints, run by a new Node in the consumer's folder. */
function run(program: string, ...flags: string[]): any {
  const args = [...flags, '--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: consumer, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^(Warning: disabling flag .*\n)?$/) });
  return JSON.parse(stdout);
}

/** For programs: `attempt` gives the name and message of what was thrown, `hash` all bits of a result. */
const TOOLS = `
  const attempt = (body) => {
    try {
      body();
      return 'ok';
    } catch (error) {
      return error.name + ': ' + error.message;
    }
  };
  const hash = (lstm) => {
    const input = { data: Float32Array.from({ length: 150 }, (_, i) => Math.fround((i % 17) / 8 - 1)), dims: [5, 3, 10] };
    const { data } = lstm.forward(input).output;
    return new Uint32Array(data.buffer).reduce((sum, word) => Math.imul(sum ^ word, 16777619), 1);
  };
`;

/** For programs: `bytes` and a compiled `module` of the package's lstm.wasm. */
const WASM = `
  import { readFileSync } from 'node:fs';
  import { createRequire } from 'node:module';
  const bytes = readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm.wasm'));
  const module = new WebAssembly.Module(bytes);
  const int8Bytes = readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm-int8.wasm'));
`;

/** From here on nothing can be compiled, as under a Content-Security-Policy; what was compiled before can be used. */
const FORBID_COMPILING = `
  WebAssembly.Module = new Proxy(WebAssembly.Module, {
    construct() {
      throw new WebAssembly.CompileError('blocked by the policy');
    },
  });
`;

let entries = 0;

/** One minified file, as a bundler makes it of a program that uses the package. */
async function bundle(program: string): Promise<string> {
  const input = join(consumer, `entry-${entries++}.mjs`);
  writeFileSync(input, program);
  const build = await rolldown({ input, cwd: consumer });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  expect(output).toHaveLength(1);
  return output[0].code;
}

const MAIN = `export * from 'lstm-wasm';`;
const SAFETENSORS = `export * from 'lstm-wasm/safetensors';`;
const PYTORCH = `export * from 'lstm-wasm/pytorch';`;
const AUDIO = `export * from 'lstm-wasm/audio';`;
const ONNX = `export * from 'lstm-wasm/onnx';`;
const ORT = `export * from 'lstm-wasm/ort';`;
const KERAS = `export * from 'lstm-wasm/keras';`;

describe('the tarball', () => {
  it('has the built package, its source, the licence and two documents, and nothing else', () => {
    const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    const files = list.map((path) => path.replace(/^package\//, '')).sort();
    const sources = readdirSync(join(root, 'src'), { encoding: 'utf8', recursive: true })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.ts'))
      .sort();
    expect(files.filter((path) => !/^(dist\/.*\.d\.ts|src\/.*)$/.test(path))).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/audio.js',
      'dist/core.js',
      'dist/formats.js',
      'dist/index.js',
      'dist/keras.LICENSE.txt',
      'dist/keras.js',
      'dist/lstm-int8.wasm',
      'dist/lstm-onnx.wasm',
      'dist/lstm.wasm',
      'dist/onnx.LICENSE.txt',
      'dist/onnx.js',
      'dist/ort.js',
      'dist/pytorch.js',
      'dist/safetensors.js',
      'dist/zip.LICENSE.txt',
      'dist/zip.js',
      'package.json',
    ]);
    expect(files.filter((path) => path.startsWith('src/'))).toEqual(sources.map((name) => `src/${name}`));
    const declarations = sources.map((name) => `dist/${name.replace(/\.ts$/, '.d.ts')}`).sort();
    expect(files.filter((path) => path.endsWith('.d.ts'))).toEqual(declarations);
    expect(files.filter((path) => /test|script|bench|example|fixture|\.map$/i.test(path))).toEqual([]);
  });

  it('has the licences of the code that it took in, and no other code than that', () => {
    const dist = join(consumer, 'node_modules/lstm-wasm/dist');
    const texts = readdirSync(dist).filter((name) => name.endsWith('.LICENSE.txt'));
    const named = texts.flatMap((name) => readFileSync(join(dist, name), 'utf8').match(/^\S+ has code of \S+/gm));
    expect(named).toEqual([
      'keras.js has code of jsfive',
      'onnx.js has code of @bufbuild/protobuf',
      'zip.js has code of fflate',
    ]);
    expect(readFileSync(join(dist, 'keras.LICENSE.txt'), 'utf8')).toMatch(/public domain[\s\S]*Jonathan J\. Helmus/);
    expect(readFileSync(join(dist, 'zip.LICENSE.txt'), 'utf8')).toMatch(
      /MIT License\s+Copyright \(c\) \d+ Arjun Barrett/,
    );
    const protobuf = readFileSync(join(dist, 'onnx.LICENSE.txt'), 'utf8');
    expect(protobuf).toMatch(
      /Copyright 2021-2026 Buf Technologies[\s\S]*Apache License[\s\S]*END OF TERMS[\s\S]*2008 Google Inc/,
    );
    const bundles = readdirSync(dist).filter((name) => name.endsWith('.js'));
    const taken = bundles.filter((name) => readFileSync(join(dist, name), 'utf8').includes('node_modules/'));
    expect(taken).toEqual(['keras.js', 'onnx.js', 'zip.js']);
  });

  it('is small', () => {
    expect(statSync(tarball).size).toBeLessThanOrEqual(400_000);
    const wasm = readFileSync(join(consumer, 'node_modules/lstm-wasm/dist/lstm.wasm'));
    expect(wasm.length).toBeLessThanOrEqual(16_000);
    expect(WebAssembly.validate(wasm)).toBe(true);
  });

  it('brings nothing along and runs nothing when it is installed', () => {
    const installed = readdirSync(join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['lstm-wasm']);
    const manifest = JSON.parse(readFileSync(join(consumer, 'node_modules/lstm-wasm/package.json'), 'utf8'));
    const wanted = /^(dependencies|(peer|optional|bundled?)dependencies)$/i;
    expect(Object.keys(manifest).filter((name) => wanted.test(name))).toEqual([]);
    expect(Object.keys(manifest.scripts).filter((name) => /install|^(pre|post)?prepare$/.test(name))).toEqual([]);
  });
});

describe('installed', () => {
  it('runs an LSTM, and has every entry point', () => {
    const result = run(`
      import { createRequire } from 'node:module';
      import * as main from 'lstm-wasm';
      import * as safetensors from 'lstm-wasm/safetensors';
      import * as pytorch from 'lstm-wasm/pytorch';
      import * as audio from 'lstm-wasm/audio';
      import * as onnx from 'lstm-wasm/onnx';
      import * as ort from 'lstm-wasm/ort';
      import * as keras from 'lstm-wasm/keras';
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
        wasm: require.resolve('lstm-wasm/lstm.wasm').replaceAll('\\\\', '/'),
        name: require('lstm-wasm/package.json').name,
        hidden,
      }));
    `);
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
      safetensors: ['ModelError', 'openSafetensors', 'parseSafetensors', 'serializeSafetensors'],
      pytorch: ['ModelError', 'parseCheckpoint'],
      audio: ['ModelError', 'loadGuitarML', 'loadNam', 'loadRTNeural'],
      onnx: ['ModelError', 'loadOnnx', 'parseOnnx'],
      ort: [
        ['InferenceSession', 'ModelError', 'Tensor', 'default', 'env'],
        ['InferenceSession', 'Tensor', 'env'],
      ],
      keras: ['ModelError', 'loadKeras', 'readKerasWeights'],
      wasm: expect.stringMatching(/consumer\/node_modules\/lstm-wasm\/dist\/lstm\.wasm$/),
      name: 'lstm-wasm',
      hidden: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
    });
  });

  it('has one ModelError for all entry points', () => {
    const result = run(`
      import * as main from 'lstm-wasm';
      import * as safetensors from 'lstm-wasm/safetensors';
      import * as pytorch from 'lstm-wasm/pytorch';
      import * as audio from 'lstm-wasm/audio';
      import * as onnx from 'lstm-wasm/onnx';
      import * as ort from 'lstm-wasm/ort';
      import * as keras from 'lstm-wasm/keras';
      const all = [main, safetensors, pytorch, audio, onnx, ort, keras];
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
        thrown(() => new main.LSTM(-1, 1)),
      ]));
    `);
    const refused = Array(8).fill(true);
    expect(result).toEqual([...Array(7).fill(refused), [...Array(7).fill(false), true]]);
  });
});

describe('initialize', () => {
  it('takes the compiled lstm.wasm before first use, and compiles nothing', () => {
    const [results, bits] = run(`
      ${WASM} ${TOOLS}
      const other = new WebAssembly.Module(bytes);
      ${FORBID_COMPILING}
      const { initialize, LSTM } = await import('lstm-wasm');
      const results = [
        attempt(() => initialize(module)),
        attempt(() => initialize(module)),
        attempt(() => initialize()),
        attempt(() => initialize(other)),
        attempt(() => initialize(7)),
        attempt(() => new LSTM(10, 20)),
        attempt(() => initialize(module)),
      ];
      console.log(JSON.stringify([results, hash(new LSTM(10, 20, { seed: 1 }))]));
    `);
    expect(results).toEqual([
      'ok',
      'ok',
      'ok',
      expect.stringMatching(/^Error: initialize: another module runs already/),
      expect.stringMatching(/^TypeError: initialize: "module" expected a WebAssembly\.Module, got 7$/),
      'ok',
      'ok',
    ]);
    expect(bits).toBe(
      run(`${TOOLS} import { LSTM } from 'lstm-wasm';
      console.log(hash(new LSTM(10, 20, { seed: 1 })));`),
    );
  });

  it('is harmless without a module, before and after first use, and too late with one', () => {
    const results = run(`
      ${WASM} ${TOOLS}
      import { initialize, LSTM } from 'lstm-wasm';
      const first = attempt(() => initialize());
      const lstm = new LSTM(10, 20);
      const before = hash(lstm);
      const then = [attempt(() => initialize()), attempt(() => initialize(undefined)), attempt(() => initialize(module))];
      console.log(JSON.stringify([first, ...then, hash(lstm) === before]));
    `);
    const tooLate = expect.stringMatching(/^Error: initialize: another module runs already/);
    expect(results).toEqual(['ok', 'ok', 'ok', tooLate, true]);
  });

  it('refuses what is not the compiled lstm.wasm, and changes nothing then', () => {
    const results = run(`
      ${WASM} ${TOOLS}
      import { initialize, LSTM } from 'lstm-wasm';
      const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
      const empty = new WebAssembly.Module(Uint8Array.from(head));
      // (module (func (export "f")))
      const func = (name) => [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, name.length + 4, 1, name.length, ...Buffer.from(name), 0, 0,
        10, 4, 1, 2, 0, 11];
      const other = new WebAssembly.Module(Uint8Array.from([...head, ...func('f')]));
      const older = new WebAssembly.Module(Uint8Array.from([...head, ...func('lstm_run')]));
      const wrong = [7, null, 'lstm.wasm', {}, bytes, new WebAssembly.Instance(module), Promise.resolve(module), empty, other, older];
      const results = wrong.map((value) => attempt(() => initialize(value)));
      console.log(JSON.stringify([...results, attempt(() => initialize(module)), attempt(() => new LSTM(1, 1))]));
    `);
    const refused = expect.stringMatching(/^TypeError: initialize: "module" expected /);
    expect(results).toEqual([...Array(10).fill(refused), 'ok', 'ok']);
  });
});

describe('loadOnnx', () => {
  const clip = JSON.stringify([...readFileSync(join(root, 'test/fixtures/onnx-ort/clip.onnx'))]);
  const MODEL = `
    const file = Uint8Array.from(${clip});
    const answer = (options) => {
      const model = loadOnnx(file, options);
      const feeds = model.inputs.map(({ name, dims }) => [name, { data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims }]);
      return [...model.run(new Map(feeds)).Y.data];
    };
  `;

  it('takes the compiled lstm-onnx.wasm where nothing can be compiled', () => {
    const [given, results] = run(`
      ${WASM} ${TOOLS}
      const kernels = new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm-onnx.wasm')));
      ${FORBID_COMPILING}
      const { initialize } = await import('lstm-wasm');
      const { loadOnnx } = await import('lstm-wasm/onnx');
      ${MODEL}
      initialize(module);
      const wrong = [{ kernels: 7 }, { kernels: module }, { kernel: kernels }];
      const results = wrong.map((options) => attempt(() => answer(options)));
      console.log(JSON.stringify([answer({ kernels }), [...results, attempt(() => answer())]]));
    `);
    expect(results).toEqual([
      expect.stringMatching(/^TypeError: loadOnnx: "kernels" expected the compiled lstm-onnx\.wasm, got 7$/),
      expect.stringMatching(/^TypeError: loadOnnx: "kernels" expected the compiled lstm-onnx\.wasm/),
      expect.stringMatching(/^TypeError: loadOnnx: unknown option "kernel"/),
      'ok',
    ]);
    expect(given).toEqual(
      run(`import { loadOnnx } from 'lstm-wasm/onnx'; ${MODEL} console.log(JSON.stringify(answer()));`),
    );
  });
});

describe('initialize for 8-bit weights', () => {
  const QUANTIZED = `
    const bits = () => hash(new LSTM(10, 20, { seed: 1 }).quantize());
  `;
  const plain = () =>
    run(`${TOOLS} import { initialize, LSTM } from 'lstm-wasm'; ${QUANTIZED}
      initialize(undefined, { relaxed: false });
      console.log(bits());`);

  it('gives the same bits with and without relaxed SIMD', () => {
    const program = (prepare: string) =>
      `${TOOLS} import { initialize, LSTM } from 'lstm-wasm'; ${QUANTIZED} ${prepare} console.log(bits());`;
    const forced = program('initialize(undefined, { relaxed: true });');
    expect(run(program(''))).toBe(plain());
    expect(run(forced)).toBe(plain());
    // V8 of Node 20 has it behind a flag, and computes wrong integers: the check at start must notice
    const flag = process.version.startsWith('v20.') ? ['--experimental-wasm-relaxed-simd'] : [];
    expect(run(forced, ...flag)).toBe(plain());
  });

  it('takes the compiled lstm-int8.wasm, or does without where compiling is forbidden', () => {
    const prepare = `${WASM} ${TOOLS}
      const int8 = WebAssembly.validate(int8Bytes) ? new WebAssembly.Module(int8Bytes) : undefined;
      ${FORBID_COMPILING}
      const { initialize, LSTM } = await import('lstm-wasm');
      ${QUANTIZED}`;
    expect(run(`${prepare} initialize(module, { int8 }); console.log(bits());`)).toBe(plain());
    expect(run(`${prepare} initialize(module); console.log(bits());`)).toBe(plain());
  });

  it('refuses what is not the compiled lstm-int8.wasm, unknown options, and a change after the first use', () => {
    const results = run(`
      ${WASM} ${TOOLS}
      import { initialize, LSTM } from 'lstm-wasm';
      const wrong = [{ int8: 7 }, { int8: module }, { relaxed: 1 }, { fast: true }, 3];
      const results = wrong.map((options) => attempt(() => initialize(undefined, options)));
      initialize(undefined, { relaxed: false });
      new LSTM(1, 2).quantize();
      const late = [{ relaxed: false }, { relaxed: true }, {}];
      console.log(JSON.stringify([...results, ...late.map((options) => attempt(() => initialize(undefined, options)))]));
    `);
    expect(results).toEqual([
      expect.stringMatching(/^TypeError: initialize: "int8" expected a WebAssembly\.Module, got 7$/),
      expect.stringMatching(/^TypeError: initialize: "int8" expected the compiled lstm-int8\.wasm/),
      expect.stringMatching(/^TypeError: initialize: "relaxed" expected a boolean, got 1$/),
      expect.stringMatching(/^TypeError: initialize: unknown option "fast"/),
      expect.stringMatching(/^TypeError: initialize: "options" expected an object, got 3$/),
      'ok',
      expect.stringMatching(/^Error: initialize: 8-bit weights are in use already/),
      'ok',
    ]);
  });
});

describe('an engine that cannot', () => {
  const FIRST_USES = `
    const { initialize, LSTM, relu } = await import('lstm-wasm');
    const first = [() => new LSTM(1, 1), () => relu({ data: new Float32Array(1), dims: [1] }), () => initialize()];
  `;

  it.each([
    ['an engine without it', '', '--jitless'],
    ['globalThis without it', 'delete globalThis.WebAssembly;'],
    ['undefined', 'globalThis.WebAssembly = undefined;'],
  ])('says that WebAssembly is missing: %s', (_, prepare, ...flags) => {
    const program = `${TOOLS} ${prepare} ${FIRST_USES} console.log(JSON.stringify(first.map(attempt)));`;
    const message = expect.stringMatching(/^Error: lstm-wasm: WebAssembly is needed/);
    expect(run(program, ...flags)).toEqual([message, message, message]);
  });

  it('says that SIMD is missing', () => {
    const program = `${TOOLS} ${FORBID_COMPILING} WebAssembly.validate = () => false; ${FIRST_USES}
      console.log(JSON.stringify(first.map(attempt)));`;
    const message = expect.stringMatching(/^Error: lstm-wasm: WebAssembly SIMD is needed/);
    expect(run(program)).toEqual([message, message, message]);
  });

  it('names initialize() where compiling is forbidden, and that helps', () => {
    const [before, after] = run(`
      ${WASM} ${TOOLS} ${FORBID_COMPILING} ${FIRST_USES}
      const before = first.map(attempt);
      initialize(module);
      console.log(JSON.stringify([before, first.map(attempt)]));
    `);
    const message = expect.stringMatching(/^Error: lstm-wasm: compiling bytes is forbidden here: .*initialize\(\)/);
    expect(before).toEqual([message, message, message]);
    expect(after).toEqual(['ok', 'ok', 'ok']);
  });

  it('reads and writes files all the same', () => {
    const program = `
      import { parseSafetensors, serializeSafetensors } from 'lstm-wasm/safetensors';
      const file = serializeSafetensors({ x: { data: Float32Array.of(1, 2), dims: [2] } });
      console.log(JSON.stringify([typeof WebAssembly, ...parseSafetensors(file).get('x').data]));
    `;
    expect(run(program, '--jitless')).toEqual(['undefined', 1, 2]);
  });
});

describe('TypeScript', () => {
  const PROGRAM = `
    import {
      type AnyTensor, bytesUsed, Embedding, type EmbeddingOptions, type IndexTensor, initialize, Linear, type LinearOptions,
      type LoadResult, LSTM, LSTMCell, type LSTMCellOptions, type LSTMOptions, type LSTMResult, type LSTMState,
      type LSTMStream, ModelError, type PackedSequence, packPaddedSequence, packSequence, padPackedSequence, padSequence,
      relu, sigmoid, softmax, type StateDict, tanh, type TensorLike, unpackSequence, unpadSequence,
    } from 'lstm-wasm';
    import { type AudioModel, loadGuitarML, loadNam, loadRTNeural } from 'lstm-wasm/audio';
    import {
      loadOnnx, type OnnxAttribute, type OnnxFeed, type OnnxModel, type OnnxResult, type OnnxTensor, parseOnnx,
    } from 'lstm-wasm/onnx';
    import { type CheckpointOptions, type CheckpointTensor, parseCheckpoint } from 'lstm-wasm/pytorch';
    import * as safetensors from 'lstm-wasm/safetensors';

    const options: LSTMOptions = { numLayers: 2, batchFirst: true, seed: 1 };
    using lstm = new LSTM(10, 20, options);
    const input: TensorLike = { data: new Float32Array(30), dims: [1, 3, 10] };
    const result: LSTMResult = lstm.forward(input);
    const state: LSTMState = { h0: result.hn, c0: result.cn };
    lstm.forward(input, state, { out: result });
    const packed: PackedSequence = packSequence([{ data: new Float32Array(20), dims: [2, 10] }]);
    const packedResult: LSTMResult<PackedSequence> = lstm.forward(packed, null);
    const lengths: Int32Array | number[] | BigInt64Array = padPackedSequence(packedResult.output).lengths;
    const stream: LSTMStream = lstm.stream();
    const steps: number = stream.run(stream.input, new Float32Array(20));
    stream.load(stream.save());
    stream.setState(stream.getState());

    const cellOptions: LSTMCellOptions = { bias: false };
    const cell = new LSTMCell(10, 20, cellOptions);
    const linearOptions: LinearOptions = { bias: true };
    const scores: TensorLike = softmax(new Linear(20, 3, linearOptions).forward(result.output), -1);
    const embeddingOptions: EmbeddingOptions = {};
    const indices: IndexTensor = { data: Int32Array.of(1), dims: [1] };
    const embedded: TensorLike = new Embedding(5, 10, embeddingOptions).forward(indices);
    const tensors: TensorLike[] = [relu(scores), sigmoid(scores), tanh(scores), embedded, padSequence([input])];
    unpadSequence(input, [3], { batchFirst: true });
    unpackSequence(packPaddedSequence(input, [3], { batchFirst: true, enforceSorted: true }));

    const file: Uint8Array = safetensors.serializeSafetensors(lstm.stateDict('lstm.'));
    const weights: Map<string, safetensors.SafetensorsTensor> = safetensors.parseSafetensors(file);
    const stateDict: StateDict = weights;
    const tensor: AnyTensor | undefined = weights.get('lstm.weight_ih_l0');
    const { missingKeys, unexpectedKeys }: LoadResult = lstm.loadStateDict(stateDict, 'lstm.', { strict: false });
    const keys: string[] = [...missingKeys, ...unexpectedKeys];
    const checkpointOptions: CheckpointOptions = { key: 'model' };
    const checkpoint: Map<string, CheckpointTensor> = parseCheckpoint(file, checkpointOptions);
    LSTM.fromStateDict(parseCheckpoint(file.buffer as ArrayBuffer), { prefix: 'lstm.' }).loadStateDict(checkpoint);
    using amp: AudioModel = loadNam('{}');
    const rate: number | undefined = amp.sampleRate;
    loadRTNeural({}).process(input.data, result.output.data);
    loadGuitarML({}).process(input.data, result.output.data, [0.5, rate ?? 0]);
    amp.reset();
    using session = loadOnnx(file);
    const x: OnnxFeed = { ...input, type: 'float32' };
    const outputs: Record<string, OnnxResult> = session.run({ x });
    session.run(new Map([['x', input]]));
    const dims: readonly (number | string)[] | undefined = session.inputs[0]?.dims;
    const layer: StateDict | undefined = session.lstms[0]?.stateDict;
    const parsed: OnnxModel = parseOnnx(file.buffer as ArrayBuffer);
    const weight: OnnxTensor | undefined = parsed.graph.initializers.get('W');
    const attribute: OnnxAttribute | undefined = parsed.graph.nodes[0]?.attributes.get('axis');
    const same: typeof ModelError = safetensors.ModelError;
    const error = (e: unknown): string => (e instanceof ModelError ? e.code + e.path : '');
    initialize(new WebAssembly.Module(new Uint8Array(8)));
    LSTM.fromStateDict(weights, { prefix: 'lstm.' }).dispose();
    export { attribute, dims, layer, outputs, weight };
    export { bytesUsed, cell, error, keys, lengths, same, steps, tensor, tensors };

    // The types refuse what the code refuses.
    // @ts-expect-error an option that nobody reads
    new LSTM(10, 20, { batch_first: true });
    // @ts-expect-error a size that is no number
    new LSTM('10', 20);
    // @ts-expect-error numbers that are not float32
    lstm.forward({ data: new Float64Array(30), dims: [3, 10] });
    // @ts-expect-error a tensor where packed input gives packed output
    export const wrong: LSTMResult = lstm.forward(packed);
    // @ts-expect-error a string where bytes are expected
    safetensors.parseSafetensors('model.safetensors');
    // @ts-expect-error a string where bytes are expected
    parseCheckpoint('model.pt');
    // @ts-expect-error an option that nobody reads
    parseCheckpoint(file, { prefix: 'model' });
    // @ts-expect-error bytes where text is expected
    loadNam(7);
    // @ts-expect-error float64, which is not computed with
    session.run({ x: { data: new Float64Array(1), dims: [1] } });
    // @ts-expect-error nothing else is exported
    export { wasm } from 'lstm-wasm';
  `;

  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('compiles a program under module %s, moduleResolution %s', (module, moduleResolution) => {
    const file = join(consumer, 'program.ts');
    writeFileSync(file, PROGRAM);
    const lib = ['es2022', 'esnext.disposable', 'dom'];
    const options = { module, moduleResolution, target: 'es2022', lib, types: [], skipLibCheck: false };
    expect(typeErrors(consumer, [file], options)).toEqual([]);
  });
});

describe('bundled', () => {
  /** A piece of the embedded wasm that no minifier writes in another way. */
  const embeddedPiece = () =>
    readFileSync(join(consumer, 'node_modules/lstm-wasm/src/memory/embedded.ts'), 'utf8').match(
      /[\w#%&()*+,.:;<=>@^|}-]{40}/,
    )![0];

  it('is at most 22,000 bytes, minified and gzipped', async () => {
    const code = await bundle(MAIN);
    expect(code.split(embeddedPiece())).toHaveLength(2);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(22_000);
  });

  it('has no reader of a format in the main entry, and no wasm in a reader of weights', async () => {
    const main = await bundle(MAIN);
    for (const piece of ['pytorch: ', 'safetensors', 'RTNeural', 'NAM', 'onnx', 'keras'])
      expect(main).not.toContain(piece);
    expect(gzipSync(await bundle(PYTORCH), { level: 9 }).length).toBeLessThanOrEqual(12_000);
  });

  it('is nothing where nothing is used', async () => {
    expect((await bundle(`import 'lstm-wasm'; import 'lstm-wasm/safetensors';`)).trim()).toBe('');
    expect((await bundle(`import { LSTM } from 'lstm-wasm';`)).trim()).toBe('');
    for (const format of ['safetensors', 'pytorch', 'audio', 'onnx', 'ort', 'keras']) {
      expect((await bundle(`import * as format from 'lstm-wasm/${format}';`)).trim()).toBe('');
    }
    expect(await bundle(`import { LSTM } from 'lstm-wasm'; new LSTM(1, 1);`)).toContain(embeddedPiece());
  });

  it('has the wasm only where it is used', async () => {
    for (const program of [SAFETENSORS, PYTORCH, `export { packSequence } from 'lstm-wasm';`]) {
      const code = await bundle(program);
      expect(code).toContain('TypeError');
      expect(code).not.toContain(embeddedPiece());
      expect(code).not.toContain('WebAssembly');
    }
  });

  it('evaluates no strings, loads nothing, and takes from Math only what has the same bits everywhere', async () => {
    for (const program of [MAIN, SAFETENSORS, PYTORCH, AUDIO, ONNX, ORT, KERAS]) {
      const code = (await bundle(program)).replace(/(["'`])[0-9a-f]{1000,}\1/g, '""');
      expect(code).not.toContain(embeddedPiece());
      // but for a model whose URL a program gives to InferenceSession.create
      const loading = program === ORT ? /\bimport\b|\brequire\b|https?:/g : /\bimport\b|\brequire\b|\bfetch\b|https?:/g;
      const notInWorklets = /\batob\b|\bbtoa\b|\bText(De|En)coder\b/g;
      const strings = /(?<![.\w])eval\b(?!\(\)\{)|\bFunction\b/g; // but for the method eval()
      const powers = /(?<!\b2)\*\*|\*\*(?!-?\d)/g; // but for 2 to a constant
      // jsfive has 2 ** n with whole n, for halves in the other byte order
      for (const forbidden of [loading, notInWorklets, strings, ...(program === KERAS ? [] : [powers])])
        expect(code.match(forbidden) ?? []).toEqual([]);
      const exact = ['abs', 'ceil', 'clz32', 'floor', 'fround', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc'];
      // constants; and what jsfive counts blocks with that are refused before
      if (program === KERAS) exact.push('LN2', 'SQRT1_2', 'log2');
      // a seed for hashes of keys, which no result shows
      if (program === SAFETENSORS) exact.push('random');
      const math = [...code.matchAll(/\bMath\b(?:\s*\.\s*(\w+))?/g)].map((match) => match[1] ?? match[0]);
      expect(math.length).toBeGreaterThan(0);
      expect(math.filter((name) => !exact.includes(name))).toEqual([]);
    }
  });

  it('runs as one file without any global that is not of the language, as in an AudioWorklet', async () => {
    const code = await bundle(
      `${MAIN} export { parseSafetensors, serializeSafetensors } from 'lstm-wasm/safetensors';
      export { loadOnnx } from 'lstm-wasm/onnx';`,
    );
    writeFileSync(join(consumer, 'bundle.mjs'), code);
    const program = (prepare: string) => `
      import { runInNewContext } from 'node:vm';
      const { stdout } = process;
      ${prepare} ${TOOLS}
      const { loadOnnx, LSTM, parseSafetensors, serializeSafetensors } = await import('./bundle.mjs');
      const lstm = new LSTM(10, 20, { numLayers: 2, seed: 1 });
      const copy = LSTM.fromStateDict(parseSafetensors(serializeSafetensors(lstm.stateDict('é.'), { é: '😀' })), { prefix: 'é.' });
      const stream = copy.stream();
      stream.input.fill(1);
      stream.step();
      stream.load(stream.save());
      const model = loadOnnx(Uint8Array.from(${JSON.stringify([...readFileSync(join(root, 'test/fixtures/onnx-ort/clip.onnx'))])}));
      const feeds = model.inputs.map(({ name, dims }) => [name, { data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims }]);
      const onnx = [...model.run(new Map(feeds)).Y.data];
      const names = ['fetch', 'atob', 'btoa', 'TextDecoder', 'TextEncoder', 'URL', 'performance', 'process', 'Buffer', 'crypto',
        'setTimeout', 'queueMicrotask', 'structuredClone', 'navigator', 'Event', 'AbortController'];
      const left = names.filter((name) => name in globalThis).length;
      stdout.write(JSON.stringify({ left, bits: [hash(lstm), hash(copy)], output: [...stream.output], onnx }));
    `;
    const everywhere = run(program(''));
    const worklet = run(
      program(`
        const language = new Set(runInNewContext('Object.getOwnPropertyNames(globalThis)'));
        for (const name of Object.getOwnPropertyNames(globalThis)) if (!language.has(name)) delete globalThis[name];
      `),
      '--disallow-code-generation-from-strings',
    );
    expect(everywhere.left).toBeGreaterThan(10);
    expect(worklet).toEqual({ ...everywhere, left: 0 });
    expect(worklet.bits[0]).toBe(worklet.bits[1]);
  });
});
