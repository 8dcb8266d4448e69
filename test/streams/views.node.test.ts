import { afterEach, describe, expect, test, vi } from 'vitest';
import { bytesUsed, Linear, LSTM } from '../../src/index.ts';
import { gc } from '../support/garbage.ts';

// Views that users keep: a stream whose view is held is not collected, and a view of a disposed stream reaches no other model.

afterEach(() => {
  vi.restoreAllMocks();
});

/** Lets the garbage collector and what it calls back run. */
async function collect(): Promise<void> {
  for (let k = 0; k < 3; k++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test.each(['output', 'input'] as const)('a held %s keeps its stream, whose place is not used again', async (name) => {
  const lstm = new LSTM(4, 4, { seed: 1 });
  await collect();
  const held = (() => {
    const stream = lstm.stream();
    stream.input.fill(0.5);
    stream.step();
    return stream[name];
  })();
  const [before, used] = [[...held], bytesUsed()];
  await collect();
  expect(bytesUsed()).toBe(used);
  const others = Array.from({ length: 50 }, () => {
    const stream = lstm.stream();
    stream.input.fill(9);
    stream.step();
    return stream;
  });
  expect([...held]).toEqual(before);
  for (const stream of others) stream.dispose();
});

test('a stream of which no view is held is collected', async () => {
  const lstm = new LSTM(4, 4, { seed: 1 });
  await collect();
  const before = bytesUsed();
  (() => {
    for (let k = 0; k < 20; k++) lstm.stream().input.fill(1);
  })();
  expect(bytesUsed()).toBeGreaterThan(before);
  await vi.waitFor(async () => {
    await collect();
    expect(bytesUsed()).toBe(before);
  });
});

describe('late writes to views of a disposed stream', () => {
  // room, so that memory does not grow below, which would end the views
  new LSTM(512, 512, { seed: 1 }).dispose();

  test('change no weights, states or descriptions of models made since', () => {
    const model = new LSTM(3, 4, { seed: 1 });
    const late = Array.from({ length: 1000 }, () => {
      const stream = model.stream();
      const views = [stream.input, stream.output, stream.input.subarray(1)];
      stream.dispose();
      return views;
    }).flat();
    model.dispose();
    const models = Array.from({ length: 200 }, () => new LSTM(3, 4, { seed: 2 }));
    const streams = models.map((each) => each.stream());
    const x = { data: new Float32Array(3).fill(0.5), dims: [1, 3] };
    const outputs = () => models.map((each) => [...each.forward(x).output.data]);
    const states = () => streams.map((stream) => [...stream.save()]);
    const [right, saved] = [outputs(), states()];
    for (const view of late) {
      expect(view.length).toBeGreaterThan(0);
      view.fill(1e9);
    }
    expect(outputs()).toEqual(right);
    expect(states()).toEqual(saved);
    for (const each of [...streams, ...models]) each.dispose();
  });

  test('nor what the streams opened next show', () => {
    const model = new LSTM(3, 4, { seed: 1 });
    const stream = model.stream();
    const { input } = stream;
    stream.dispose();
    const next = Array.from({ length: 200 }, () => model.stream());
    expect(input.length).toBe(3);
    input.fill(1e9);
    for (const each of next) expect([...each.input, ...each.output]).toEqual(new Array(7).fill(0));
    model.dispose();
  });
});

describe('what throws keeps no memory', () => {
  test('a state dict whose weights cannot be quantized', () => {
    const lstm = new LSTM(64, 64, { seed: 1 });
    const dict = new Map(lstm.quantize().quantizedStateDict());
    dict.delete('weight_hh_l0_scale');
    dict.set('weight_hh_l0', { data: new Float32Array(4 * 64 * 64).fill(NaN), dims: [256, 64] });
    const before = bytesUsed();
    for (let k = 0; k < 10; k++) expect(() => LSTM.fromStateDict(dict)).toThrow(/finite/);
    expect(bytesUsed()).toBe(before);
  });

  test('weights that are views of linear memory are read before it grows', () => {
    const wide = new LSTM(400_000, 1, { seed: 1 });
    const { input } = wide.stream();
    input.fill(0.25);
    const layer = Linear.fromStateDict({ weight: { data: input, dims: [4, 100_000] } });
    const { data } = layer.stateDict().get('weight')!;
    expect(data.length).toBe(400_000);
    expect(data.every((value) => value === 0.25)).toBe(true);
    layer.dispose();
    wide.dispose();
  });
});
