import { expect, test } from 'vitest';
import { I8, I8_RELAXED } from '../src/memory/abi.ts';
import { compileInt8 } from '../src/memory/compile.ts';
import { int8Form } from '../src/memory/int8.ts';
import { wasm } from '../src/memory/wasm.ts';

// In a file of its own: a thread chooses once.

/** Whether the engine has relaxed SIMD, as instructions of the processor. */
function isNative(): boolean {
  try {
    const { exports } = new WebAssembly.Instance(compileInt8(), { env: { memory: wasm().memory } });
    return !(exports.is_emulated as () => number)();
  } catch {
    return false;
  }
}

test('8-bit products take the relaxed form where it is an instruction, and the plain one where it is emulated', () => {
  expect(int8Form()).toBe(isNative() ? I8_RELAXED : I8);
});
