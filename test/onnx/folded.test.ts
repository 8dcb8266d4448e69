import { expect, test } from 'vitest';
import { bytesUsed, LSTM } from '../../src/index.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';

// Weights that pass through constant arithmetic on their way to an LSTM, as exporters write them that fold nothing.

const [I, H] = [5, 6];
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + seed) / 3);
const STATE_DICT = new Map(
  (
    [
      ['weight_ih_l0', [4 * H, I], 1],
      ['weight_hh_l0', [4 * H, H], 2],
      ['bias_ih_l0', [4 * H], 3],
      ['bias_hh_l0', [4 * H], 4],
    ] as const
  ).map(([name, dims, seed]) => [name, { dims, data: numbers(dims[0] * (dims[1] ?? 1), seed) }]),
);

/** torch's gates i, f, g, o become i, o, f, g by Slice and Concat; the first state has a hidden size that a Shape tells. */
function unfolded(): Uint8Array {
  const ints = (name: string, ...values: number[]) =>
    tensorProto(name, [values.length], BigInt64Array.from(values, BigInt));
  const nodes: NodeSpec[] = [];
  const reordered = (name: string): string => {
    const parts = ['i', 'o', 'f', 'g'].map((gate) => `${name}_${gate}`);
    const bounds = { i: [0, 1], f: [1, 2], g: [2, 3], o: [3, 4] };
    for (const [gate, [from, to]] of Object.entries(bounds)) {
      nodes.push({ op: 'Slice', inputs: [name, `n${from}`, `n${to}`, 'zero'], outputs: [`${name}_${gate}`] });
    }
    nodes.push({ op: 'Concat', inputs: parts, outputs: [`${name}_r`], attributes: { axis: 0 } });
    return `${name}_r`;
  };
  // sizes come out of shapes: H is the last axis of weight_hh
  nodes.push(
    { op: 'Shape', inputs: ['weight_hh_l0'], outputs: ['hh_dims'] },
    { op: 'Gather', inputs: ['hh_dims', 'one'], outputs: ['n1'] },
    ...[2, 3, 4].map((k) => ({ op: 'Mul', inputs: ['n1', `k${k}`], outputs: [`n${k}`] })),
    { op: 'Identity', inputs: ['zero'], outputs: ['n0'] },
  );
  for (const name of ['weight_ih_l0', 'weight_hh_l0']) {
    nodes.push({ op: 'Unsqueeze', inputs: [reordered(name), 'zero'], outputs: [`${name}_u`] });
  }
  const biases = ['bias_ih_l0', 'bias_hh_l0'].map(reordered);
  nodes.push(
    { op: 'Concat', inputs: biases, outputs: ['b_flat'], attributes: { axis: 0 } },
    { op: 'Unsqueeze', inputs: ['b_flat', 'zero'], outputs: ['b'] },
    { op: 'Shape', inputs: ['x'], outputs: ['x_dims'] },
    { op: 'Gather', inputs: ['x_dims', 'one'], outputs: ['batch'] },
    { op: 'Concat', inputs: ['one', 'batch', 'n1'], outputs: ['state_dims'], attributes: { axis: 0 } },
    { op: 'ConstantOfShape', inputs: ['state_dims'], outputs: ['state'] },
    {
      op: 'LSTM',
      inputs: ['x', 'weight_ih_l0_u', 'weight_hh_l0_u', 'b', '', 'state', 'state'],
      outputs: ['y4'],
      attributes: { hidden_size: H },
    },
    { op: 'Squeeze', inputs: ['y4', 'one'] },
  );
  return onnxFile({
    nodes,
    inputs: { x: ['T', 'B', I] },
    initializers: [
      ...[...STATE_DICT].map(([name, { dims, data }]) => tensorProto(name, dims, data)),
      ints('zero', 0),
      ints('one', 1),
      ...[2, 3, 4].map((k) => ints(`k${k}`, k)),
    ],
  });
}

test('weights through Shape, Slice, Concat and Unsqueeze are folded: an LSTM on the fast kernels, with its state dict', () => {
  const layer = LSTM.fromStateDict(STATE_DICT);
  const before = bytesUsed();
  const session = loadOnnx(unfolded());
  const held = bytesUsed() - before;
  // nothing but the panels of the four matrices, the first states and scratch: no second copy of a weight
  expect(held).toBeLessThan(64 * (I + H + 1) * Math.ceil(H / 4) + 64 * H + 2048);
  const [report] = session.lstms;
  expect(session.lstms).toHaveLength(1);
  expect([report!.why, report!.initialState]).toEqual([undefined, undefined]);
  for (const [name, { dims, data }] of STATE_DICT) {
    expect(report!.stateDict!.get(name)!.dims).toEqual(dims);
    expect(report!.stateDict!.get(name)!.data).toEqual(data);
  }
  for (const [T, batch] of [
    [7, 1],
    [3, 4],
  ] as const) {
    const x = { data: numbers(T * batch * I, 5), dims: [T, batch, I] };
    // the bits of nn.LSTM, which only its own kernels give
    expect(session.run({ x }).y!.data).toEqual(layer.forward(x).output.data);
  }
  session.dispose();
  layer.dispose();
});
