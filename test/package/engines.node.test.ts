// Engines without WebAssembly, without SIMD, or that compile nothing.
import { describe, expect, it } from 'vitest';
import { FORBID_COMPILING, makeConsumer, runIn, TOOLS, WASM } from '../support/consumer.ts';

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
