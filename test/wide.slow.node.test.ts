// initialize(undefined, { wide: true }) and node --experimental-wasm-revectorize, each in a process of its own. What needs a Node that
// packs vectors runs in those that $NODE24 and $NODE26 name, and in this one, if it packs and neither is named.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { makeConsumer, root, runIn, TOOLS } from './support/consumer.ts';
import { need } from './support/need.ts';

const FLAG = '--experimental-wasm-revectorize';
const { NODE24, NODE26 } = process.env;
const packs = process.arch === 'x64' && Number.parseFloat(process.versions.v8) >= 13.6;
const nodes = [
  ['Node 24', NODE24 ?? (packs && !NODE26 ? process.execPath : undefined)],
  ['Node 26', NODE26],
] as const;
const consumer = makeConsumer();

describe('initialize({ wide })', () => {
  const node = `arch: 'x64', execArgv: [], getBuiltinModule: () => ({ setFlagsFromString: (flag) => flags.push(flag) })`;
  const inProcess = (process: string, options = '{ wide: true }') =>
    runIn(
      consumer,
      `import { initialize } from 'lstm-wasm';
      const flags = [];
      const { log } = console;
      const { process } = globalThis;
      globalThis.process = ${process};
      const isWide = initialize(undefined, ${options});
      globalThis.process = process;
      log(JSON.stringify([isWide, ...flags]));`,
    );

  it.each([
    ['a page', 'undefined'],
    ['a page with a stand-in for process', '{ env: {}, versions: {} }'],
    ['Node 22', `{ ${node}, versions: { v8: '12.4.254.21-node.33' } }`],
    ['Node 24 on ARM', `{ ${node}, versions: { v8: '13.6.233.17-node.63' }, arch: 'arm64' }`],
    ['Deno', `{ ${node}, versions: { v8: '14.0.365.5-rusty' } }`],
    ['Electron', `{ ${node}, versions: { v8: '14.0.365.5-electron.0' } }`],
    ['Bun', `{ ${node}, versions: { v8: '13.6.233.10-node.18', bun: '1.3.0' } }`],
  ])('does nothing in %s, and says so', (_, process) => {
    expect(inProcess(process)).toEqual([false]);
  });

  it('sets the flag in Node from 24 on, only if it is asked to or node has it already', () => {
    const as = (execArgv: string) => `{ ${node}, versions: { v8: '13.6.233.17-node.63' }, execArgv: [${execArgv}] }`;
    expect(inProcess(as(''))).toEqual([true, FLAG]);
    expect(inProcess(as(''), '{}')).toEqual([false]);
    expect(inProcess(as(''), '{ wide: false }')).toEqual([false]);
    expect(inProcess(as(`'${FLAG}'`))).toEqual([true, FLAG]);
    expect(inProcess(as(`'${FLAG}'`), '{}')).toEqual([true, FLAG]);
    expect(inProcess(as(`'${FLAG}'`), '{ wide: false }')).toEqual([false]);
  });

  it('is refused once kernels run, unless nothing changes', () => {
    const results = runIn(
      consumer,
      `${TOOLS} import { initialize, LSTM } from 'lstm-wasm';
      const wrong = attempt(() => initialize(undefined, { wide: 1 }));
      new LSTM(1, 1);
      const later = [{ wide: true }, { wide: false }, { wide: undefined }, {}];
      console.log(JSON.stringify([wrong, ...later.map((options) => attempt(() => initialize(undefined, options)))]));`,
    );
    const late = expect.stringMatching(/^Error: initialize: kernels run already, too late for "wide"/);
    const wrong = expect.stringMatching(/^TypeError: initialize: "wide" expected a boolean, got 1$/);
    expect(results).toEqual([wrong, late, late, 'ok', 'ok']);
  });
});

describe.each(nodes)('in %s', (name, node) => {
  const variable = `$${name.replace(' ', '').toUpperCase()}`;
  beforeEach((context) => {
    if (inject('ci') && process.arch === 'x64' && !node)
      throw new Error(`with CI=true ${variable} must name a ${name}`);
    need(context, `kernels of 256 bits, and ${variable} names no ${name}`, node !== undefined);
  });

  const start = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(node!, args, {
      cwd: consumer,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };

  /** The pairs of products of vectors that V8 packs in each exported function, which are optimized at their first call. */
  const packed = (prepare: string, ...flags: string[]) => {
    const trace = start(
      ...['--no-liftoff', '--trace-wasm-revectorize', ...flags, '--input-type=module', '--eval'],
      `import { readFileSync } from 'node:fs';
      import { initialize, LSTM } from 'lstm-wasm';
      ${prepare}
      const lstm = new LSTM(64, 64, { seed: 1 });
      lstm.forward({ data: new Float32Array(4 * 64), dims: [4, 1, 64] });
      lstm.forward({ data: new Float32Array(4 * 64), dims: [1, 4, 64] });
      const bytes = readFileSync(new URL(import.meta.resolve('lstm-wasm/lstm.wasm')));
      const { multiply, lstm_gates_f32 } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
      console.log('index multiply ' + multiply.name + '.\\nindex lstm_gates_f32 ' + lstm_gates_f32.name + '.');`,
    );
    return (name: string) => {
      const index = trace.match(new RegExp(`^index ${name} (\\d+)\\.`, 'm'))![1];
      const parts = trace.split(`Begin revec function wasm-function#${index}\n`);
      const [part = ''] = (parts[1] ?? '').split('Finished revec function');
      return /Decided? to vectorize/.test(part) ? part.match(/NewPackNode.*\[F32x4Mul\]/g)!.length : 0;
    };
  };

  it.each([
    ['node has the flag', '', [FLAG]],
    ['initialize() sets it', 'initialize(undefined, { wide: true });', []],
  ])('V8 packs both tiles and the gates of eight units, where %s', (_, prepare, flags) => {
    const pairs = packed(prepare, ...flags);
    // of a turn and an odd last k: 4 and 2 pairs in the tile of 8 columns, 8 and 4 in that of 16
    expect(pairs('multiply')).toBeGreaterThanOrEqual(18);
    // 1 + e^-x twice, with 9 multiplications each, e^2|x| - 1 with 12, and the product of both
    expect(pairs('lstm_gates_f32')).toBeGreaterThanOrEqual(31);
  });

  it('packs nothing unless it is asked to', () => {
    expect(packed('')('multiply')).toBe(0);
  });

  // V8 14.6 ends the process where it packs results of two calls, which are there as long as it does not inline them
  it('V8 compiles every function of every module, whether it inlines calls or not', () => {
    const eager = ['--no-liftoff', '--no-wasm-lazy-compilation', FLAG, '--input-type=module', '--eval'];
    const compile = `import { readFileSync } from 'node:fs';
      for (const name of ['lstm', 'lstm-int8', 'lstm-onnx', 'lstm-gru']) {
        new WebAssembly.Module(readFileSync(new URL(import.meta.resolve('lstm-wasm/' + name + '.wasm'))));
      }
      console.log('compiled');`;
    for (const inlining of ['--wasm-inlining', '--no-wasm-inlining']) {
      expect(start(inlining, ...eager, compile)).toBe('compiled\n');
    }
  });

  it('the laws hold and the bits are the same, from the first call to the 100,000th', { timeout: 600_000 }, () => {
    const tests = [
      'test/laws/',
      'test/gru/',
      'test/kernels/',
      'test/torch.slow.test.ts',
      'test/quantize.test.ts',
      'test/streams/',
    ];
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root, '--project', 'node'];
    // the digests that they are held against come from the first process, which has not got the flag
    const options = ['--pool', 'forks', '--maxWorkers', '2', '--reporter', 'json'];
    const { status, stdout, stderr } = spawnSync(node!, [...vitest, ...options, ...tests], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      env: { ...process.env, WIDE: '1', CI: '', VITEST: undefined, NODE_OPTIONS: undefined } as NodeJS.ProcessEnv,
    });
    const { numTotalTests, numFailedTests } = JSON.parse(stdout.slice(stdout.indexOf('{')));
    expect({ status, numFailedTests, stderr: status ? stderr : '' }).toEqual({
      status: 0,
      numFailedTests: 0,
      stderr: '',
    });
    expect(numTotalTests).toBeGreaterThan(100);
  });
});
