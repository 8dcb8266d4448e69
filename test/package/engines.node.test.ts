// Engines without WebAssembly, without SIMD, or that compile nothing.
import { describe, expect, it } from 'vitest';
import { FORBID_COMPILING, forbid, makeConsumer, runIn, TOOLS, WASM } from '../support/consumer.ts';

const consumer = makeConsumer();
const run = (program: string, ...flags: string[]) => runIn(consumer, program, ...flags);

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

  // each engine's own words
  it.each([
    [
      'Chromium',
      'Module',
      "Compiling or instantiating WebAssembly module violates the following Content Security policy directive because neither 'wasm-eval' nor 'unsafe-eval' is an allowed source",
    ],
    ['Firefox', 'Module', 'call to WebAssembly.Module() blocked by CSP'],
    [
      'WebKit',
      'Instance',
      "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script",
    ],
  ] as const)("names 'wasm-unsafe-eval' where a policy forbids it: %s", (_, what, words) => {
    const program = `${WASM} ${TOOLS} ${forbid(what, 'CompileError', words)} ${FIRST_USES}
      console.log(JSON.stringify([...first, () => initialize(module)].map(attempt)));`;
    const message = expect.stringMatching(/^Error: lstm-wasm: .*Content-Security-Policy.*'wasm-unsafe-eval'/);
    // a module that is compiled already helps where modules, and not instances, are refused
    expect(run(program)).toEqual([message, message, message, what === 'Module' ? 'ok' : message]);
  });

  it.each(['Module', 'Instance'] as const)('is out of address space: %s', (what) => {
    const words = 'Out of memory: Cannot allocate Wasm memory for new instance';
    const program = `${TOOLS} ${forbid(what, 'RangeError', words)} ${FIRST_USES} console.log(JSON.stringify(first.map(attempt)));`;
    const message = expect.stringMatching(/^RangeError: lstm-wasm: no address space for WebAssembly$/);
    expect(run(program)).toEqual([message, message, message]);
  });

  it('names initialize() where compiling is forbidden, and that helps', () => {
    const [before, after] = run(`
      ${WASM} ${TOOLS} ${FORBID_COMPILING} ${FIRST_USES}
      const before = first.map(attempt);
      initialize(module);
      console.log(JSON.stringify([before, first.map(attempt)]));
    `);
    const message = expect.stringMatching(
      /^Error: lstm-wasm: compiling bytes is forbidden here: write import wasm from 'lstm-wasm\/lstm\.wasm'; initialize\(wasm\)/,
    );
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
