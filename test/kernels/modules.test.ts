import { expect, test } from 'vitest';
import { onnxKernels } from '../../src/cells/kernels.ts';
import { gruKernels } from '../../src/gru/kernels.ts';
import { int8Form } from '../../src/memory/int8.ts';
import { initialize } from '../../src/memory/wasm.ts';
import { kernels } from '../support/kernels.ts';

const constants = () => new Uint8Array(kernels.memory.buffer).slice(0, kernels.HEAP_BASE.value);
const before = constants();
// where the engine has relaxed SIMD, that of 8-bit products too
initialize(undefined, { relaxed: true });
int8Form();
onnxKernels();
gruKernels();

test('modules that share the memory leave the constants of the first alone', () => {
  // zeros at first: the Int8Block of the running product, in assembly/int8.ts
  const after = constants();
  const isConstant = before.map((byte) => (byte === 0 ? 0 : 1));
  expect(after.map((byte, i) => byte * isConstant[i]!)).toEqual(before);
  expect(isConstant.some((flag) => flag === 1)).toBe(true);
});
