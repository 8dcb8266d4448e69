// Modules that were compiled elsewhere: initialize() and the options that take them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rtneural } from '../support/audio-files.ts';
import { FORBID_COMPILING, makeConsumer, root, runIn, TOOLS, WASM } from '../support/consumer.ts';
import { sequential, tfjs } from '../support/keras-files.ts';

const consumer = makeConsumer();
const run = (program: string, ...flags: string[]) => runIn(consumer, program, ...flags);

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
      expect.stringMatching(
        /^TypeError: initialize: "module" expected this version's compiled lstm\.wasm, a WebAssembly\.Module, got 7$/,
      ),
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
      expect.stringMatching(
        /^TypeError: loadOnnx: "kernels" expected this version's compiled lstm-onnx\.wasm, a WebAssembly\.Module, got 7$/,
      ),
      expect.stringMatching(/^TypeError: loadOnnx: "kernels" expected this version's compiled lstm-onnx\.wasm/),
      expect.stringMatching(/^TypeError: loadOnnx: unknown option "kernel"/),
      'ok',
    ]);
    expect(given).toEqual(
      run(`import { loadOnnx } from 'lstm-wasm/onnx'; ${MODEL} console.log(JSON.stringify(answer()));`),
    );
  });
});

describe('loadOnnx without lstm-onnx.wasm, where nothing can be compiled', () => {
  const fixtures = join(root, 'test/fixtures');
  const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => join(fixtures, name));

  it('refuses a model when it is loaded, or runs it', () => {
    const { refused, ran } = run(`
      ${WASM} ${TOOLS} ${FORBID_COMPILING}
      const { initialize } = await import('lstm-wasm');
      const { loadOnnx } = await import('lstm-wasm/onnx');
      initialize(module);
      const typed = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array };
      const result = { refused: [], ran: [] };
      for (const path of ${JSON.stringify(files)}) {
        let model;
        try {
          model = loadOnnx(readFileSync(path));
        } catch (error) {
          if (error.name !== 'ModelError') result.refused.push(error.message);
          continue;
        }
        // another error than that of a model which cannot be planned for zeros is not caught
        const feed = ({ name, type, dims }) => {
          const sizes = dims.map((size) => (typeof size === 'number' ? size : 2));
          return [name, { type, dims: sizes, data: new typed[type](sizes.reduce((a, b) => a * b, 1)) }];
        };
        const outcome = attempt(() => model.run(new Map(model.inputs.map(feed))));
        result.ran.push(outcome.startsWith('ModelError') ? 'ok' : outcome);
      }
      console.log(JSON.stringify(result));
    `);
    const lines =
      "lstm-wasm: compiling bytes is forbidden here: write import onnx from 'lstm-wasm/lstm-onnx.wasm'; initialize(wasm, { onnx });";
    expect([...new Set(refused)]).toEqual([lines]);
    expect([...new Set(ran)]).toEqual(['ok']);
    expect(refused.length).toBeGreaterThan(10);
    expect(ran.length).toBeGreaterThan(5);
  });

  it('is cured by initialize(module, { onnx }), which refuses another module', () => {
    const onnx = JSON.stringify(files.find((path) => path.endsWith('clip.onnx')));
    const results = run(`
      ${WASM} ${TOOLS}
      const onnx = new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm-onnx.wasm')));
      const name = 'activate_f32';
      const older = new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0,
        7, name.length + 4, 1, name.length, ...Buffer.from(name), 0, 0, 10, 4, 1, 2, 0, 11]));
      ${FORBID_COMPILING}
      const { initialize } = await import('lstm-wasm');
      const { loadOnnx } = await import('lstm-wasm/onnx');
      const wrong = [7, module, older].map((value) => attempt(() => initialize(module, { onnx: value })));
      const load = () => attempt(() => loadOnnx(readFileSync(${onnx})));
      console.log(JSON.stringify([wrong, load(), attempt(() => initialize(module, { onnx })), load()]));
    `);
    const refused = expect.stringMatching(
      /^TypeError: initialize: "onnx" expected this version's compiled lstm-onnx\.wasm/,
    );
    expect(results).toEqual([[refused, refused, refused], expect.stringMatching(/forbidden/), 'ok', 'ok']);
  });
});

describe('loadKeras and loadRTNeural', () => {
  const elu = JSON.stringify(rtneural({ dense: [[1, 'elu']] }));
  const keras = tfjs(sequential([['Activation', { activation: 'elu' }]], [null, 3]), {});
  const MODELS = `
    const keras = (options) => {
      const source = { modelJson: ${JSON.stringify(keras.modelJson)}, weights: new Uint8Array(0) };
      return [...loadKeras(source, options).predict({ data: [-1, 0, 1], dims: [1, 3] }).data];
    };
    const audio = (options) => {
      const output = new Float32Array(3);
      loadRTNeural(${JSON.stringify(elu)}, options).process(Float32Array.of(-1, 0, 1), output);
      return [...output];
    };
  `;

  it('take the compiled lstm-onnx.wasm where nothing can be compiled, and say so', () => {
    const [given, results] = run(`
      ${WASM} ${TOOLS}
      const kernels = new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm-onnx.wasm')));
      ${FORBID_COMPILING}
      const { initialize } = await import('lstm-wasm');
      const { loadKeras } = await import('lstm-wasm/keras');
      const { loadRTNeural } = await import('lstm-wasm/audio');
      ${MODELS}
      initialize(module);
      const calls = [() => keras(), () => audio(), () => keras({ kernels: module }), () => audio({ kernels: 7 })];
      const results = calls.map(attempt);
      console.log(JSON.stringify([[keras({ kernels }), audio()], results]));
    `);
    const forbidden = expect.stringMatching(
      /compiling bytes is forbidden here: write import onnx from 'lstm-wasm\/lstm-onnx\.wasm'; initialize\(wasm, \{ onnx \}\)/,
    );
    expect(results).toEqual([
      forbidden,
      forbidden,
      expect.stringMatching(/^TypeError: loadKeras: "kernels" expected this version's compiled lstm-onnx\.wasm/),
      expect.stringMatching(
        /^TypeError: loadRTNeural: "kernels" expected this version's compiled lstm-onnx\.wasm, a WebAssembly\.Module, got 7$/,
      ),
    ]);
    expect(given).toEqual(
      run(`
        import { loadKeras } from 'lstm-wasm/keras';
        import { loadRTNeural } from 'lstm-wasm/audio';
        ${MODELS}
        console.log(JSON.stringify([keras(), audio()]));
      `),
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
      // (module (func (export "is_emulated"))), of another version
      const name = 'is_emulated';
      const older = new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0,
        7, name.length + 4, 1, name.length, ...Buffer.from(name), 0, 0, 10, 4, 1, 2, 0, 11]));
      const wrong = [{ int8: 7 }, { int8: module }, { int8: older }, { relaxed: 1 }, { fast: true }, 3];
      const results = wrong.map((options) => attempt(() => initialize(undefined, options)));
      initialize(undefined, { relaxed: false });
      new LSTM(1, 2).quantize();
      const late = [{ relaxed: false }, { relaxed: true }, {}];
      console.log(JSON.stringify([...results, ...late.map((options) => attempt(() => initialize(undefined, options)))]));
    `);
    expect(results).toEqual([
      expect.stringMatching(
        /^TypeError: initialize: "int8" expected this version's compiled lstm-int8\.wasm, a WebAssembly\.Module, got 7$/,
      ),
      expect.stringMatching(/^TypeError: initialize: "int8" expected this version's compiled lstm-int8\.wasm/),
      expect.stringMatching(/^TypeError: initialize: "int8" expected this version's compiled lstm-int8\.wasm/),
      expect.stringMatching(/^TypeError: initialize: "relaxed" expected a boolean, got 1$/),
      expect.stringMatching(/^TypeError: initialize: unknown option "fast"/),
      expect.stringMatching(/^TypeError: initialize: "options" expected an object, got 3$/),
      'ok',
      expect.stringMatching(/^Error: initialize: 8-bit weights are in use already/),
      'ok',
    ]);
  });
});
