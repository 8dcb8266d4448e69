import { layerOperations } from './layers.ts';
import { type Operation, onnxOperations } from './operations.ts';

/** The bits of each operation's result on every engine that computes right: bitsOf(). */
const BITS: Readonly<Record<string, number>> = {
  'random numbers': 0x83ee6f27,
  dropout: 0xe30871d7,
  'float32 products': 0xf7e18882,
  '8-bit products': 0x464456f4,
  sigmoid: 0x4d65e287,
  tanh: 0x0f2bb529,
  relu: 0xc02d4dab,
  softmax: 0xf81ca3be,
  LSTM: 0xf1c3d5b0,
  'states of streams': 0xd82d4fcb,
  'neg of a model': 0x281efa5f,
  'abs of a model': 0x3c7da8d5,
  'relu of a model': 0x47d93923,
  'sqrt of a model': 0xd209d4de,
  'floor of a model': 0x29e03291,
  'ceil of a model': 0xd3b222cf,
  'leakyRelu of a model': 0xc642650d,
  'square of a model': 0xccb0115a,
  'reciprocal of a model': 0x0339dff6,
  'exp of a model': 0x04ba346a,
  'log of a model': 0x9f687ed3,
  'sigmoid of a model': 0x155e3d54,
  'tanh of a model': 0x77ecc48a,
  'round of a model': 0x4dff91a9,
  'sign of a model': 0x4a36c0b1,
  'erf of a model': 0x487e216f,
  'sin of a model': 0x6e3e0487,
  'cos of a model': 0x755b210b,
  'add of a model': 0x9f087a81,
  'sub of a model': 0xa95f2d4a,
  'mul of a model': 0x7042f6f1,
  'div of a model': 0x1dc87f21,
  'min of a model': 0xe9927ac0,
  'max of a model': 0x128576d0,
  'pow of a model': 0xb1556991,
  'prelu of a model': 0x994f504a,
  'sum of elements of a model': 0x25ccc8ac,
  'mean of elements of a model': 0x630e932b,
  'max of elements of a model': 0x84e1b983,
  'min of elements of a model': 0x3fcc4adc,
  'prod of elements of a model': 0x48b568b7,
  'l1 of elements of a model': 0x21b2e125,
  'l2 of elements of a model': 0x1d4388b2,
  'sumSquare of elements of a model': 0x477f1937,
  'logSum of elements of a model': 0xd467df07,
  'logSumExp of elements of a model': 0x645594f1,
  'clip of a model': 0x484fdb04,
  'log-softmax of a model': 0x647c52f6,
  'silu of a model': 0xa5cff1fe,
  'mish of a model': 0xb6c42102,
  'gelu of a model': 0x875b81a5,
  'gelu by tanh of a model': 0xc509a2fe,
  'leaky relu of a model': 0xc642650d,
  'hard sigmoid of a model': 0x472a5490,
  'hard silu of a model': 0x20467f53,
  'elu of a model': 0x3e10e329,
  'selu of a model': 0x92b64335,
  'softsign of a model': 0x2987bd64,
  'softplus of a model': 0x3c7b9a9c,
};

/**
 * Checks that the engine's SIMD computes the same bits as all others: float32 and 8-bit products, an LSTM, dropout and the
 * activations, on denormals, zeros, infinities and NaN too. Takes some milliseconds with compiling, and frees its memory.
 * Call initialize() before it where options are wanted: it makes 8-bit weights.
 * @throws Error that names the first operation whose bits are wrong
 * @example
 * ```js
 * import { selfTest } from 'lstm-wasm/self-test';
 *
 * console.log(selfTest()); // undefined
 * ```
 */
export function selfTest(): void {
  for (const operations of [layerOperations, onnxOperations]) {
    for (const [name, compute] of operations()) check(name, compute);
  }
}

function check(name: string, compute: Operation): void {
  const expected = BITS[name]!;
  const found = bitsOf(compute());
  if (found === expected) return;
  const hex = (bits: number) => bits.toString(16).padStart(8, '0');
  const text = `expected the bits ${hex(expected)}, got ${hex(found)}: this engine's WebAssembly SIMD computes wrong`;
  throw new Error(`selfTest: "${name}" ${text}`);
}

/** A hash of all bits (FNV-1a on words), with one NaN for all. */
function bitsOf(results: readonly Float32Array[]): number {
  let hash = 0x811c9dc5;
  for (const data of results) {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < data.length; i++) {
      const word = Number.isNaN(data[i]) ? 0x7fc00000 : words[i]!;
      hash = Math.imul(hash ^ word, 0x01000193);
      // so that high bits reach low ones
      hash ^= hash >>> 15;
    }
  }
  return hash >>> 0;
}
