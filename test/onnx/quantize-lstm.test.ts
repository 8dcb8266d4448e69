import { afterEach, expect, it } from 'vitest';
import { bytesUsed, LSTM, type TensorLike } from '../../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxResult } from '../../src/onnx.ts';
import { bits, dictBits } from '../support/bits.ts';
import { type Attribute, type GraphSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { INT8, largest, runGraph, tensor } from '../support/onnx-quantize.ts';

// The operator LSTM with { quantize: 8 }: the bits of LSTM after quantize(), in every direction.

const used = bytesUsed();
afterEach(() => expect(bytesUsed(), 'bytes after dispose()').toBe(used));

const [T, B, I, H] = [7, 3, 13, 22];
const graph = (D: number, attributes: Record<string, Attribute>, lengths: boolean, scale = 1): GraphSpec => {
  const weights = (name: string, seed: number, ...dims: number[]) => {
    const { data } = tensor(seed, ...dims);
    return tensorProto(
      name,
      dims,
      Float32Array.from(data, (w) => w * 0.3 * scale),
    );
  };
  return {
    nodes: [
      {
        op: 'LSTM',
        inputs: ['x', 'w', 'r', 'b', lengths ? 'lengths' : '', 'h0', 'c0'],
        outputs: ['y', 'h', 'c'],
        attributes: { hidden_size: H, ...attributes },
      },
    ],
    inputs: { x: [T, B, I], h0: [D, B, H], c0: [D, B, H], ...(lengths && { lengths: [B] }) },
    types: { lengths: 6 },
    outputs: { y: undefined, h: undefined, c: undefined },
    initializers: [weights('w', 10, D, 4 * H, I), weights('r', 11, D, 4 * H, H), weights('b', 12, D, 8 * H)],
  };
};
const [x, h0, c0] = [tensor(13, T, B, I), tensor(14, 2, B, H), tensor(15, 2, B, H)];
const states = (D: number) => ({
  h0: { data: h0.data.slice(0, D * B * H), dims: [D, B, H] },
  c0: { data: c0.data.slice(0, D * B * H), dims: [D, B, H] },
});
/** [T][D][B][H] of y as [T][B][D][H]. */
const sideBySide = (y: OnnxResult, D: number) =>
  Float32Array.from(y.data as Float32Array, (_, i) => {
    const [t, b, d, k] = [Math.floor(i / (B * D * H)), Math.floor(i / (D * H)) % B, Math.floor(i / H) % D, i % H];
    return y.data[((t * D + d) * B + b) * H + k] as number;
  });

it.each([
  ['forward', 1],
  ['bidirectional', 2],
])('LSTM %s is LSTM after quantize(), and so is its state dict', (direction, D) => {
  const file = onnxFile(graph(D, { direction }, false));
  const [float, small] = [loadOnnx(file), loadOnnx(file, INT8)];
  const lstm = LSTM.fromStateDict(float.lstms[0]!.stateDict!);
  const quantized = lstm.quantize();
  expect(dictBits(small.lstms[0]!.stateDict!)).toEqual(dictBits(quantized.stateDict()));
  const feeds = { x, ...states(D) } as Record<string, OnnxFeed>;
  const { y, h, c } = small.run(feeds);
  const { output, hn, cn } = quantized.forward(x, states(D));
  expect(bits(sideBySide(y!, D))).toEqual(bits(output));
  expect([bits(h as TensorLike), bits(c as TensorLike)]).toEqual([bits(hn), bits(cn)]);
  // with lengths that a run gives, the same weights
  const padded = runGraph(
    graph(D, { direction }, true),
    {
      ...feeds,
      lengths: { data: Int32Array.of(T, T, T), dims: [B] },
    },
    INT8,
  );
  expect(bits(padded.y as TensorLike)).toEqual(bits(y as TensorLike));
  // float32 weights that the 8-bit ones stand for
  const same = LSTM.fromStateDict(quantized.stateDict());
  const near = same.forward(x, states(D)).output.data;
  const apart = largest(output.data.map((value, i) => value - near[i]!));
  expect(apart).toBeLessThan(2e-4);
  expect(apart).toBeGreaterThan(0);
  for (const module of [float, small, lstm, quantized, same]) module.dispose();
});

it('LSTM in reverse has 8-bit weights too', () => {
  const turned = { data: new Float32Array(T * B * I), dims: x.dims };
  for (let t = 0; t < T; t++) turned.data.set(x.data.subarray(t * B * I, (t + 1) * B * I), (T - 1 - t) * B * I);
  const reverse = runGraph(graph(1, { direction: 'reverse' }, false), { x: turned, ...states(1) } as never, INT8);
  const forward = runGraph(graph(1, {}, false), { x, ...states(1) } as never, INT8);
  const float = runGraph(graph(1, {}, false), { x, ...states(1) } as never);
  expect(bits(reverse.h as TensorLike)).toEqual(bits(forward.h as TensorLike));
  expect(bits(float.h as TensorLike)).not.toEqual(bits(forward.h as TensorLike));
});

it.each<[string, Record<string, Attribute>]>([
  ['clip', { clip: Float32Array.of(3) }],
  ['input_forget', { input_forget: 1 }],
  ['other activations', { activations: ['HardSigmoid', 'Tanh', 'Tanh'] }],
])('LSTM with %s stays float32', (_, attributes) => {
  const feeds = { x, ...states(1) } as Record<string, OnnxFeed>;
  const [float, small] = [undefined, INT8].map((options) => runGraph(graph(1, attributes, false), feeds, options));
  expect(bits(small!.y as TensorLike)).toEqual(bits(float!.y as TensorLike));
});
