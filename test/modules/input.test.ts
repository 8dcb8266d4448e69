import { describe, expect, test } from 'vitest';
import { Linear, LSTM, sigmoid, softmax, type TensorLike } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { bits, hash } from '../support/bits.ts';
import { fillMemory } from '../support/memory.ts';
import { type Any, tensor, zeros } from '../support/tensors.ts';

/** A Float32Array class of another realm. */
async function foreignFloat32Array(): Promise<typeof Float32Array> {
  if (typeof document !== 'undefined') {
    const frame = document.body.appendChild(document.createElement('iframe'));
    return (frame.contentWindow as Any).Float32Array;
  }
  const vm = 'node:vm';
  return (await import(/* @vite-ignore */ vm)).runInNewContext('Float32Array');
}

describe('input lies anywhere', () => {
  const lstm = new LSTM(3, 4, { numLayers: 2, seed: 1 });
  const x = tensor(5, 2, 3);
  const wanted = bits(lstm.forward(x).output);

  test('in a view with an offset', () => {
    const buffer = new ArrayBuffer(4 * 40);
    const view = new Float32Array(buffer, 20, 30);
    view.set(x.data);
    expect(bits(lstm.forward({ ...x, data: view }).output)).toEqual(wanted);
    expect(bits(lstm.forward({ ...x, data: new Float32Array(buffer).subarray(5, 35) }).output)).toEqual(wanted);
  });

  test('in an array of another realm, or of a subclass', async () => {
    const Foreign = await foreignFloat32Array();
    expect(Foreign).not.toBe(Float32Array);
    class Mine extends Float32Array {}
    for (const data of [new Foreign(x.data), new Mine(x.data)]) {
      expect(bits(lstm.forward({ ...x, data }).output)).toEqual(wanted);
      const out = lstm.forward(x);
      out.output.data.fill(0);
      const given = { ...out, output: { ...out.output, data: data instanceof Mine ? new Mine(40) : new Foreign(40) } };
      expect(bits(lstm.forward(x, null, { out: given }).output)).toEqual(wanted);
    }
    const dict = new Map(
      [...lstm.stateDict()].map(([key, value]) => [key, { ...value, data: new Foreign(value.data) }]),
    );
    expect(bits(LSTM.fromStateDict(dict).forward(x).output)).toEqual(wanted);
    const quantized = lstm.quantize();
    const wanted8 = bits(quantized.forward(x).output);
    quantized.loadStateDict(dict);
    expect(bits(quantized.forward(x).output)).toEqual(wanted8);
  });

  test('over its own result', () => {
    const square = new LSTM(4, 4, { seed: 3 });
    const given = { output: tensor(5, 2, 4), hn: tensor(1, 2, 4), cn: tensor(1, 2, 4) };
    const state = { h0: given.hn, c0: given.cn };
    const once = square.forward(tensor(5, 2, 4), { h0: tensor(1, 2, 4), c0: tensor(1, 2, 4) });
    expect(square.forward(given.output, state, { out: given })).toEqual(once);
    // h0 and c0 in the place of the output
    const both = new Float32Array(40);
    const h0 = { data: both.subarray(0, 8), dims: [1, 2, 4] };
    const c0 = { data: both.subarray(8, 16), dims: [1, 2, 4] };
    h0.data.set(tensor(1, 2, 4).data);
    c0.data.set(tensor(1, 2, 4).data);
    const out = { output: { data: both, dims: [5, 2, 4] }, hn: zeros(1, 2, 4), cn: zeros(1, 2, 4) };
    expect(square.forward(tensor(5, 2, 4), { h0, c0 }, { out })).toEqual(once);
  });

  // scratch of more than 8 MiB is never kept, so each of these calls needs memory anew
  const [rows, H] = [8192, 64];

  test('in linear memory itself, which grows during the call', () => {
    const carrier = new LSTM(rows, H, { seed: 1 });
    const stream = carrier.stream();
    const wide = new LSTM(1, H, { seed: 2 });
    const values = tensor(rows).data;
    stream.input.set(values);
    stream.step();
    const lastOutput = stream.output.slice();
    const column = tensor(rows, 1, 1);
    const one = (data: Float32Array) => ({ data, dims: [1, 1, H] });
    const calls: Record<string, () => TensorLike> = {
      input: () => wide.forward({ data: stream.input, dims: [1, rows, 1] }).output,
      h0: () => wide.forward(column, { h0: one(stream.output), c0: tensor(1, 1, H) }).output,
      c0: () => wide.forward(column, { h0: tensor(1, 1, H), c0: one(stream.output) }).output,
      Linear: () => new Linear(1, 64, { seed: 2 }).forward({ data: stream.input, dims: [rows, 1] }),
      sigmoid: () => sigmoid({ data: stream.input, dims: [rows] }),
      softmax: () => softmax({ data: stream.input, dims: [rows] }, 0),
      stream: () => {
        const data = new Float32Array(H);
        carrier.stream().run(stream.input, data);
        return { data, dims: [H] };
      },
      loadStateDict: () => {
        const loaded = new Linear(rows, 1, { bias: false });
        loaded.loadStateDict({ weight: { data: stream.input, dims: [1, rows] } });
        return loaded.stateDict().get('weight')!;
      },
    };
    for (const [what, call] of Object.entries(calls)) {
      const free = fillMemory();
      const { buffer } = wasm().memory;
      const grown = hash(call());
      if (what === 'input') expect(wasm().memory.buffer).not.toBe(buffer);
      free();
      expect(stream.input, what).toEqual(values);
      expect(stream.output, what).toEqual(lastOutput);
      expect(hash(call()), what).toEqual(grown);
    }
    expect(hash(wide.forward({ data: values, dims: [1, rows, 1] }).output)).toBe(hash(calls.input!()));
    carrier.dispose();
  });

  test('a result in linear memory is refused if that grows, and nothing is changed', () => {
    const carrier = new LSTM(rows * H, 1, { seed: 1 });
    const stream = carrier.stream();
    const wide = new LSTM(1, H, { seed: 2 });
    const x = tensor(1, rows, 1);
    const wanted = wide.forward(x);
    const out = { output: { data: stream.input, dims: [1, rows, H] }, hn: tensor(1, rows, H), cn: tensor(1, rows, H) };
    const unchanged = hash(out.hn);
    const free = fillMemory();
    expect(() => wide.forward(x, null, { out })).toThrow(/^LSTM: "out" expected .*linear memory/);
    free();
    expect(stream.input.every((value) => value === 0)).toBe(true);
    expect([hash(out.hn), hash(out.cn)]).toEqual([unchanged, unchanged]);
    const again = { ...out, output: { ...out.output, data: stream.input } };
    expect(hash(wide.forward(x, null, { out: again }).output)).toBe(hash(wanted.output));
    carrier.dispose();
  });
});
