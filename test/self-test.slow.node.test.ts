// selfTest() on engines that compute wrong: a module in which every use of one SIMD instruction is another instruction.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { describe, expect, it } from 'vitest';
import { makeConsumer, root, runIn } from './support/consumer.ts';

const consumer = makeConsumer();

/** For each instruction one of the same operands and results, near enough that a glance at results would not tell. */
const WRONG: Readonly<Record<string, string>> = {
  'f32x4.add': 'f32x4.sub',
  'f32x4.sub': 'f32x4.add',
  'f32x4.mul': 'f32x4.add',
  'f32x4.div': 'f32x4.mul',
  'f32x4.neg': 'f32x4.abs',
  'f32x4.abs': 'f32x4.neg',
  'f32x4.sqrt': 'f32x4.abs',
  'f32x4.min': 'f32x4.pmin',
  'f32x4.max': 'f32x4.pmax',
  'f32x4.pmin': 'f32x4.pmax',
  'f32x4.pmax': 'f32x4.pmin',
  'f32x4.floor': 'f32x4.trunc',
  'f32x4.ceil': 'f32x4.floor',
  'f32x4.nearest': 'f32x4.trunc',
  'f32x4.trunc': 'f32x4.floor',
  'f32x4.eq': 'f32x4.ne',
  'f32x4.ne': 'f32x4.eq',
  'f32x4.lt': 'f32x4.gt',
  'f32x4.gt': 'f32x4.ge',
  'f32x4.le': 'f32x4.lt',
  'f32x4.ge': 'f32x4.gt',
  'f32x4.convert_i32x4_s': 'f32x4.convert_i32x4_u',
  'i32x4.trunc_sat_f32x4_s': 'i32x4.trunc_sat_f32x4_u',
  'i32x4.add': 'i32x4.sub',
  'i32x4.sub': 'i32x4.add',
  'i32x4.mul': 'i32x4.add',
  'i32x4.dot_i16x8_s': 'i32x4.mul',
  'i32x4.shl': 'i32x4.shr_u',
  'i32x4.shr_s': 'i32x4.shr_u',
  'i32x4.shr_u': 'i32x4.shl',
  'i32x4.eq': 'i32x4.ne',
  'i32x4.lt_s': 'i32x4.le_s',
  'i32x4.gt_s': 'i32x4.ge_s',
  'i32x4.min_s': 'i32x4.max_s',
  'i32x4.max_s': 'i32x4.min_s',
  'i16x8.extend_low_i8x16_s': 'i16x8.extend_low_i8x16_u',
  'i16x8.extend_high_i8x16_s': 'i16x8.extend_high_i8x16_u',
  'v128.and': 'v128.or',
  'v128.or': 'v128.and',
  'v128.xor': 'v128.or',
  'v128.andnot': 'v128.and',
};

const { BulkMemory, MutableGlobals, NontrappingFPToInt, SIMD128, SignExt } = binaryen.Features;
const FEATURES = BulkMemory | MutableGlobals | NontrappingFPToInt | SIMD128 | SignExt;

/** The text of a module and the instructions on vectors in it that WRONG has. */
function read(name: string) {
  const bytes = readFileSync(join(root, `dist/${name}.wasm`));
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES);
  const text = module.emitText();
  module.dispose();
  const used = new Set(text.match(/\b(f32x4|i32x4|i16x8|i8x16|v128)\.\w+/g));
  return { text, used: [...used].filter((each) => each in WRONG) };
}

function write(text: string, file: string): string {
  const module = binaryen.parseText(text);
  module.setFeatures(FEATURES);
  const path = join(consumer, file);
  writeFileSync(path, module.emitBinary());
  module.dispose();
  return path;
}

/** What selfTest() throws with each of these as lstm.wasm or lstm-onnx.wasm. Kernels are one for a thread: each has its own. */
function outcomes(option: 'lstm' | 'onnx', paths: readonly string[]): string[] {
  return runIn(
    consumer,
    `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const program = \`
      import { readFileSync } from 'node:fs';
      import { parentPort, workerData } from 'node:worker_threads';
      import { initialize } from 'lstm-wasm';
      import { selfTest } from 'lstm-wasm/self-test';
      const module = new WebAssembly.Module(readFileSync(workerData));
      try {
        ${option === 'lstm' ? 'initialize(module)' : 'initialize(undefined, { onnx: module })'};
        selfTest();
        parentPort.postMessage('ok');
      } catch (error) {
        parentPort.postMessage(error.message);
      }
    \`;
    const url = new URL('data:text/javascript,' + encodeURIComponent(program.replaceAll("'lstm-wasm", "'" + new URL('./', import.meta.url) + 'node_modules/lstm-wasm/dist')
      .replaceAll("dist'", "dist/index.js'").replaceAll("/self-test'", "/self-test.js'")));
    const results = [];
    for (const path of ${JSON.stringify(paths)}) {
      const worker = new Worker(url, { workerData: path });
      results.push((await once(worker, 'message'))[0]);
      await worker.terminate();
    }
    console.log(JSON.stringify(results));
  `,
  );
}

describe.each([
  ['lstm', 'lstm'],
  ['lstm-onnx', 'onnx'],
] as const)('%s.wasm', (name, option) => {
  const { text, used } = read(name);

  it('passes as it is, also after binaryen has read and written it', () => {
    const path = write(text, `${name}.wasm`);
    expect(outcomes(option, [path, join(root, `dist/${name}.wasm`)])).toEqual(['ok', 'ok']);
  });

  it('fails with any one instruction wrong, and names the operation', () => {
    expect(used.length).toBeGreaterThan(15);
    const paths = used.map((instruction) =>
      write(
        text.replaceAll(new RegExp(`\\b${instruction.replace('.', '\\.')}(?!\\w)`, 'g'), WRONG[instruction]!),
        `${name}-${instruction}.wasm`,
      ),
    );
    const failures = outcomes(option, paths).map((message, i) => [used[i], message]);
    const passed = failures.filter(
      ([, message]) => !/^selfTest: "[^"]+" expected the bits [0-9a-f]{8}, got [0-9a-f]{8}: /.test(message!),
    );
    expect(passed).toEqual([]);
  });
});
