// The kernels for 256 bits, in every engine: as if it were a Node that packs vectors. wide.slow.node.test.ts runs them in one that does.
import { afterAll, expect, inject, test } from 'vitest';
import { FLOAT32, FLOAT32_WIDE } from '../src/memory/abi.ts';
import { allocate, integers } from '../src/memory/arena.ts';
import { PRODUCT_BYTES, Product } from '../src/memory/structs.ts';
import { initialize } from '../src/memory/wasm.ts';
import { digest } from './support/digest.ts';
import { onnxDigest } from './support/onnx-digest.ts';

const flags: string[] = [];
const real = Object.getOwnPropertyDescriptor(globalThis, 'process');
const restore = () => {
  if (real) Object.defineProperty(globalThis, 'process', real);
  else Reflect.deleteProperty(globalThis, 'process');
};
const setFlagsFromString = (flag: string) => flags.push(flag);
const process = {
  arch: 'x64',
  versions: { v8: '14.1.146.11-node.3' },
  execArgv: [],
  getBuiltinModule: () => ({ setFlagsFromString }),
};
Object.defineProperty(globalThis, 'process', { configurable: true, writable: true, value: process });
let isWide: unknown;
try {
  isWide = initialize(undefined, { wide: true });
} finally {
  restore();
}
afterAll(restore);

test('initialize(undefined, { wide: true }) sets the flag of V8 once, and says so', () => {
  expect(isWide).toBe(true);
  expect(initialize(undefined, { wide: true })).toBe(true);
  expect(initialize()).toBe(true);
  expect(flags).toEqual(['--experimental-wasm-revectorize']);
});

test('products take the wide form, and give the bits of the others', () => {
  const pointer = allocate(PRODUCT_BYTES);
  const { form } = new Product();
  const struct = integers().slice(new Product().write(pointer) / 4, (pointer + PRODUCT_BYTES) / 4);
  expect([form, struct.at(-2)]).toEqual([FLOAT32, FLOAT32_WIDE]);
  expect(digest()).toBe(inject('nodeDigest'));
  expect(onnxDigest()).toBe(inject('onnxDigest'));
});
