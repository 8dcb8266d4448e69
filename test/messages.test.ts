import { expect, it } from 'vitest';
import { formatDims, describe as show } from '../src/base/tensor.ts';
import { LSTM } from '../src/index.ts';
import { loadOnnx } from '../src/onnx.ts';
import { InferenceSession, Tensor } from '../src/ort.ts';
import { parseSafetensors } from '../src/safetensors.ts';
import { onnxFile, tensorProto } from './support/onnx-files.ts';

// A message is read by a person: fewer than 500 characters, whatever a caller or a file puts in.

const LONG = 'x'.repeat(1e6);
const CONTROLS = '\u0001'.repeat(1e6);
const MANY = Array<number>(1e6).fill(1);
const HUGE = 10n ** 3000n;

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

it('describe and formatDims show anything in short', () => {
  class Named {
    get [Symbol.toStringTag]() {
      return LONG;
    }
  }
  for (const value of [LONG, CONTROLS, MANY, HUGE, Symbol(LONG), new Named(), [LONG, LONG], [HUGE], [new Named()]]) {
    expect(show(value).length).toBeLessThan(250);
    expect(formatDims(Array(1e6).fill(value)).length).toBeLessThan(500);
  }
  expect(formatDims(MANY)).toBe(`[${Array(16).fill(1).join(', ')}, … 1000000 in all]`);
  expect(formatDims([2, 3, 20])).toBe('[2, 3, 20]');
  expect(show('a "name"')).toBe('"a \\"name\\""');
});

const relu = { op: 'Relu', inputs: ['x'] };
const x = { data: new Float32Array(1), dims: [1] };
const session = () => loadOnnx(onnxFile({ nodes: [relu], inputs: { x: [1] } }));
const shape = (name: string, sizes: number[]) => tensorProto(name, [sizes.length], BigInt64Array.from(sizes, BigInt));

it.each<[string, () => unknown]>([
  ['dims of a tensor', () => new LSTM(1, 1).forward({ data: new Float32Array(1), dims: MANY })],
  ['sizes of a module', () => new LSTM(HUGE as never, 1)],
  ['the name of an option', () => new LSTM(1, 1, { [LONG]: 1 } as never)],
  ['dims of a feed', () => session().run({ x: { ...x, dims: MANY } })],
  ['the name of a feed', () => session().run({ x, [LONG]: x })],
  ['the type of a feed', () => session().run({ x: { ...x, type: CONTROLS } })],
  [
    'names of inputs',
    () => {
      const inputs = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`, [1]]));
      return loadOnnx(onnxFile({ nodes: [{ op: 'Relu', inputs: ['x0'] }], inputs })).run({ y: x });
    },
  ],
  [
    'names of sizes',
    () => loadOnnx(onnxFile({ nodes: [relu], inputs: { x: [LONG, CONTROLS] } })).run({ x: { ...x, dims: [1] } }),
  ],
  ['an operator', () => loadOnnx(onnxFile({ nodes: [{ op: LONG }] }))],
  ['a domain', () => loadOnnx(onnxFile({ nodes: [{ op: 'Relu', domain: CONTROLS }] }))],
  [
    'many operators',
    () =>
      loadOnnx(
        onnxFile({ nodes: Array.from({ length: 200 }, (_, i) => ({ op: `Op${i}`, name: LONG.slice(0, 500) })) }),
      ),
  ],
  ['the name of a node', () => loadOnnx(onnxFile({ nodes: [{ ...relu, name: CONTROLS }] }))],
  ['the name of an input', () => loadOnnx(onnxFile({ nodes: [{ op: 'Relu', inputs: [LONG], name: LONG }] }))],
  [
    'an attribute',
    () =>
      loadOnnx(onnxFile({ nodes: [{ ...relu, op: 'LeakyRelu', attributes: { alpha: MANY } }], inputs: { x: [1] } })),
  ],
  [
    'axes',
    () => {
      const model = onnxFile({
        nodes: [{ op: 'Reshape', inputs: ['x', 's'] }],
        inputs: { x: [1] },
        initializers: [shape('s', Array(1e5).fill(2))],
      });
      return loadOnnx(model).run({ x });
    },
  ],
  [
    'the name of an activation',
    () => {
      const attributes = { hidden_size: 1, activations: [CONTROLS, LONG, LONG] };
      return loadOnnx(
        onnxFile({ nodes: [{ op: 'LSTM', inputs: ['x', 'x', 'x'], attributes }], inputs: { x: [1, 4, 1] } }),
      );
    },
  ],
  [
    'a name in a file of safetensors',
    () => {
      const header = new TextEncoder().encode(
        JSON.stringify({ [LONG]: { dtype: CONTROLS, shape: [1], data_offsets: [0, 4] } }),
      );
      const file = new Uint8Array(8 + header.length);
      new DataView(file.buffer).setUint32(0, header.length, true);
      file.set(header, 8);
      return parseSafetensors(file);
    },
  ],
  ['the type of a Tensor', () => new Tensor(CONTROLS as never, [1])],
  ['dims of a Tensor', () => new Tensor('float32', new Float32Array(2), MANY)],
  [
    'a fetch',
    async () => (await InferenceSession.create(onnxFile({ nodes: [relu], inputs: { x: [1] } }))).run({ x }, [LONG]),
  ],
  [
    'a feed of InferenceSession',
    async () => (await InferenceSession.create(onnxFile({ nodes: [relu], inputs: { x: [1] } }))).run({ [LONG]: x }),
  ],
  [
    'the location of a feed',
    async () => {
      const one = await InferenceSession.create(onnxFile({ nodes: [relu], inputs: { x: [1] } }));
      return one.run({ [LONG]: { ...x, location: LONG } as never });
    },
  ],
])('%s: a message of fewer than 500 characters', async (_, call) => {
  const message = await messageOf(call);
  expect(message.length, message.slice(0, 600)).toBeLessThan(500);
});
