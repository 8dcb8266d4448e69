import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadOnnx, ModelError, type OnnxFeed, parseOnnx } from '../src/onnx.ts';
import { readFixture, readJson } from './support/fixtures.ts';
import { onnxFile, tensorProto } from './support/onnx-files.ts';

// Models whose weights are 8-bit integers (test/fixtures/onnx-quantized, and the nodes of onnx-corners).

interface Tensor {
  readonly dims: number[];
  readonly data: number[];
}
interface Case {
  readonly name: string;
  readonly operators: string[];
  readonly inputs: Record<string, Tensor>;
  /** What ONNX Runtime gives. */
  readonly outputs: Record<string, Tensor>;
}
interface Node {
  readonly op: string;
  readonly attributes: { hidden_size: number; direction: string; clip?: { floats: number[] } };
  readonly inputs: ((Tensor & { readonly type: string }) | null)[];
  readonly outputs: Tensor[];
}

const cases: Case[] = await readJson('onnx-quantized/cases.json');
const nodes: Node[] = await readJson('onnx-corners/quantized.json');

const feed = ({ dims, data }: Tensor): OnnxFeed => ({ dims, data: Float32Array.from(data) });

/** The largest difference of two lists of numbers. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

describe('models that onnxruntime.quantization wrote', () => {
  for (const { name, operators, inputs, outputs } of cases) {
    test(`${name}: ${operators.filter((op) => /Quantize|Integer/.test(op)).join(', ')}`, async () => {
      const file = await readFixture(`onnx-quantized/${name}.onnx`);
      const session = loadOnnx(file);
      const feeds = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, feed(tensor)]));
      const results = session.run(feeds);
      for (const [key, { dims, data }] of Object.entries(outputs)) {
        expect(results[key]!.dims).toEqual(dims);
        // a number that is near the middle of two integers may become the other one after another order of sums
        expect(apart(results[key]!.data as Float32Array, data)).toBeLessThan(name === 'net_qdq' ? 0.012 : 0.008);
      }
      session.dispose();
    });
  }
});

describe('DynamicQuantizeLSTM', () => {
  const lstms = nodes.filter(({ op }) => op.endsWith('DynamicQuantizeLSTM'));

  /** The same node as an LSTM on the floats that its integers stand for. */
  function onFloats({ attributes, inputs }: Node): Float32Array {
    const weight = (at: number) => {
      const { dims, data } = inputs[at]!;
      const [D, K, rows] = dims as [number, number, number];
      const [scale, zero] = [inputs[at === 1 ? 8 : 10]!, inputs[at === 1 ? 9 : 11]!];
      const floats = new Float32Array(D * rows * K);
      for (let i = 0; i < floats.length; i++) {
        const [d, row, k] = [Math.floor(i / (rows * K)), Math.floor(i / K) % rows, i % K];
        const unit = scale.data.length === D ? d : d * rows + row;
        floats[i] = (data[(d * K + k) * rows + row]! - zero.data[unit]!) * scale.data[unit]!;
      }
      return tensorProto(`in${at}`, [D, rows, K], floats);
    };
    const others = inputs.slice(0, 8).flatMap((input, i) => {
      if (!input || i === 1 || i === 2) return [];
      const data = input.type === 'int32' ? Int32Array.from(input.data) : Float32Array.from(input.data);
      return [tensorProto(`in${i}`, input.dims, data)];
    });
    const { clip, ...rest } = attributes;
    const file = onnxFile({
      nodes: [
        {
          op: 'LSTM',
          inputs: inputs.slice(0, 8).map((input, i) => (input ? `in${i}` : '')),
          outputs: ['y'],
          attributes: clip ? { ...rest, clip: Float32Array.from(clip.floats) } : rest,
        },
      ],
      initializers: [weight(1), weight(2), ...others],
    });
    return loadOnnx(file).run({}).y!.data as Float32Array;
  }

  function run({ attributes, inputs }: Node, constants = 1) {
    const initializers = inputs.flatMap((input, i) => {
      if (!input || i < constants) return [];
      const { dims, data, type } = input;
      if (type === 'uint8') return [tensorProto(`in${i}`, dims, Uint8Array.from(data), 2)];
      const array = { int8: Int8Array, int32: Int32Array, float32: Float32Array }[type]!;
      return [tensorProto(`in${i}`, dims, array.from(data))];
    });
    const { clip, ...rest } = attributes;
    const file = onnxFile({
      nodes: [
        {
          op: 'DynamicQuantizeLSTM',
          domain: 'com.microsoft',
          inputs: inputs.map((input, i) => (input ? `in${i}` : '')),
          outputs: ['y'],
          attributes: clip ? { ...rest, clip: Float32Array.from(clip.floats) } : rest,
        },
      ],
      inputs: Object.fromEntries(inputs.slice(0, constants).map((input, i) => [`in${i}`, input!.dims])),
      types: { in1: inputs[1]!.type === 'int8' ? 3 : 2 },
      initializers,
    });
    const session = loadOnnx(file);
    const data = session.run({ in0: feed(inputs[0]!) }).y!.data as Float32Array;
    session.dispose();
    return data;
  }

  test('is nearer to the LSTM of its weights as floats than ONNX Runtime, which rounds activations to 8 bits', () => {
    const errors = lstms.map((node) => {
      const exact = onFloats(node);
      return [apart(run(node), exact), apart(node.outputs[0]!.data, exact)] as const;
    });
    for (const [ours] of errors) expect(ours).toBeLessThan(3e-4);
    const [ours, theirs] = [0, 1].map((i) => Math.max(...errors.map((pair) => pair[i]!))) as [number, number];
    expect(theirs).toBeGreaterThan(8 * ours);
    expect(theirs).toBeLessThan(0.02);
  });

  test('keeps its integers: a quarter of the memory, and a state dict of integers times scales', async () => {
    const file = await readFixture('onnx-quantized/tagger_int8.onnx');
    const bytes = (load: () => { dispose(): void }) => {
      const before = bytesUsed();
      const session = load();
      const used = bytesUsed() - before;
      session.dispose();
      return used;
    };
    const floats = await readFixture('onnx-ort/torch_tagger_2l_bi.onnx');
    expect(bytes(() => loadOnnx(file))).toBeLessThan(0.5 * bytes(() => loadOnnx(floats)));
    // the matrix of the MatMulInteger has one row more
    expect(bytes(() => loadOnnx(file))).toBeLessThan(200 + bytes(() => loadOnnx(floats, { quantize: 8 })));
    const session = loadOnnx(file);
    const { initializers } = parseOnnx(file).graph;
    const [q, scale] = ['onnx::LSTM_351_quantized', 'onnx::LSTM_351_scale'].map(
      (name) => initializers.get(name)!.data as Float32Array,
    ) as [Float32Array, Float32Array];
    const { data } = session.lstms[0]!.stateDict!.get('weight_ih_l0')!;
    // [64][10] in the order i, f, g, o, of [10][64] in the order i, o, f, c
    expect(data.length).toBe(640);
    for (const [to, from] of [0, 2, 3, 1].entries()) {
      for (let unit = 0; unit < 16; unit++) {
        for (let k = 0; k < 10; k++) {
          expect(data[(to * 16 + unit) * 10 + k]).toBe(Math.fround(q[k * 64 + from * 16 + unit]! * scale[0]!));
        }
      }
    }
    session.dispose();
  });

  test('refuses weights that a run computes, and scales of other dims', () => {
    const [node] = lstms.filter(({ inputs }) => inputs[1]!.type === 'int8');
    expect(() => run(node!, 2)).toThrow(ModelError);
    expect(() => run(node!, 2)).toThrow(/expected constant W with a constant scale, got none/);
    const wrong = { ...node!, inputs: node!.inputs.with(8, { type: 'float32', dims: [3], data: [1, 1, 1] }) };
    expect(() => run(wrong)).toThrow(/scale and zero point of W expected .* got \[3\]/);
    const infinite = { type: 'float32', dims: [1], data: [Infinity] };
    const one = { ...node!, inputs: node!.inputs.with(8, infinite) };
    if (node!.inputs[1]!.dims[0] === 1) expect(() => run(one)).toThrow(/W expected finite weights to quantize/);
  });
});

describe('products of integers', () => {
  const integers = (count: number, seed: number) =>
    Uint8Array.from({ length: count }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) % 256);
  const load = (K: number, N: number, b: Uint8Array, isConstant: boolean) =>
    loadOnnx(
      onnxFile({
        nodes: [{ op: 'MatMulInteger', inputs: ['a', 'b', 'z'] }],
        inputs: { a: ['M', K], ...(isConstant ? {} : { b: [K, N] }) },
        types: { a: 2, b: 2, y: 6 },
        initializers: [
          ...(isConstant ? [tensorProto('b', [K, N], b, 2)] : []),
          tensorProto('z', [], Uint8Array.of(7), 2),
        ],
      }),
    );

  test.each([511, 512, 513, 1500])('sums of depth %i are exact, whether the weights are constants or fed', (K) => {
    const [M, N] = [3, 21];
    const a = integers(M * K, 1).map((x, i) => (i < K ? 255 : x));
    const b = integers(K * N, 2).map((x, i) => (i % N === 0 ? 255 : i % N === 1 ? 0 : x));
    const expected = Int32Array.from({ length: M * N }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += (a[Math.floor(i / N) * K + k]! - 7) * b[k * N + (i % N)]!;
      return sum;
    });
    for (const isConstant of [true, false]) {
      const session = load(K, N, b, isConstant);
      const weights = isConstant ? {} : { b: { data: b, dims: [K, N] } };
      expect(session.run({ a: { data: a, dims: [M, K], type: 'uint8' }, ...weights }).y!.data).toEqual(expected);
      session.dispose();
    }
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['another type', tensorProto('z', [], Int8Array.of(0)), /zero point of A expected uint8, got int8/],
    ['other dims', tensorProto('z', [2], Uint8Array.of(0, 0), 2), /zero point of A expected \[\] or \[3\], got \[2\]/],
  ])('refuses zero points of %s', (_, zero, message) => {
    const file = onnxFile({
      nodes: [{ op: 'MatMulInteger', inputs: ['a', 'b', 'z'] }],
      inputs: { a: [3, 2] },
      types: { a: 2, y: 6 },
      initializers: [tensorProto('b', [2, 1], Int8Array.of(1, 2)), zero],
    });
    const session = loadOnnx(file);
    expect(() => session.run({ a: { data: new Uint8Array(6), dims: [3, 2] } })).toThrow(message);
    session.dispose();
  });
});

test('large 8-bit weights through DequantizeLinear are folded too: an LSTM on the fast kernels', () => {
  const [I, H] = [320, 320];
  const bytes = (rows: number, K: number) => Int8Array.from({ length: rows * K }, (_, i) => ((i * 89) % 255) - 127);
  const file = onnxFile({
    nodes: [
      ...['w', 'r'].map((name) => ({ op: 'DequantizeLinear', inputs: [`${name}q`, 's'], outputs: [name] })),
      { op: 'LSTM', inputs: ['x', 'w', 'r'], attributes: { hidden_size: H } },
    ],
    inputs: { x: [1, 1, I] },
    initializers: [
      tensorProto('wq', [1, 4 * H, I], bytes(4 * H, I)),
      tensorProto('rq', [1, 4 * H, H], bytes(4 * H, H)),
      tensorProto('s', [], Float32Array.of(0.001)),
    ],
  });
  const before = bytesUsed();
  const session = loadOnnx(file);
  expect(session.lstms[0]!.why).toBeUndefined();
  expect(session.lstms[0]!.stateDict!.get('weight_hh_l0')!.dims).toEqual([4 * H, H]);
  expect(bytesUsed() - before).toBeGreaterThan(16 * H * (I + H));
  session.dispose();
  expect(bytesUsed()).toBe(before);
});
