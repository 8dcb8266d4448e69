import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { readModel } from '../../src/worklet/read-model.ts';
import { nam } from '../support/audio-files.ts';
import { type Rig, rigFor } from './host.ts';

// Switching between models, and to the input and back.

const RATE = 48_000;
const tone = (count: number) =>
  Float32Array.from({ length: count }, (_, n) => 0.5 * Math.sin((2 * Math.PI * 100 * n) / RATE));
/** The largest step from one sample to the next. */
const steepest = (samples: Float32Array) =>
  samples.reduce((most, x, n) => (n === 0 ? most : Math.max(most, Math.abs(x - samples[n - 1]!))), 0);

/** A model that answers with `scale` times its input, at a rate and with a delay of its own. */
const gain = (scale: number, { sampleRate, latency = 0 }: { sampleRate?: number; latency?: number } = {}) => {
  const log = { disposed: 0, resets: 0 };
  const line = new Float32Array(latency + 4096);
  return {
    log,
    sampleRate,
    latency,
    process(x: Float32Array, y: Float32Array) {
      line.set(x, latency);
      y.set(line.subarray(0, x.length));
      for (let i = 0; i < y.length; i++) y[i]! *= scale;
      line.copyWithin(0, x.length, x.length + latency);
    },
    reset() {
      log.resets++;
      line.fill(0);
    },
    dispose() {
      log.disposed++;
    },
  };
};

const gains = (start: ReturnType<typeof gain>, options: object = {}) =>
  import('./host.ts').then(
    ({ Rig }) => new Rig(start, { make: (model) => model as ReturnType<typeof gain>, ...options }),
  );
const loads = (rig: Rig, id: number, model: unknown) => rig.send({ type: 'load', id, model });

test('a switch goes from one sound to the other without a jump, and takes as long as it is told', async () => {
  const [one, two] = [gain(1), gain(-1)];
  const rig = await gains(one, { fade: 0.01 });
  rig.play([new Float32Array(512).fill(0.5)]);
  expect(loads(rig, 1, two)).toEqual({ type: 'loaded', id: 1, latency: 0 });
  const [y] = rig.play([new Float32Array(2048).fill(0.5)]);
  // 480 samples unheard, 480 of fade
  expect(new Set(y!.subarray(0, 480))).toEqual(new Set([0.5]));
  expect(new Set(y!.subarray(959))).toEqual(new Set([-0.5]));
  for (let n = 481; n < 959; n++) expect(y![n]).toBeLessThan(y![n - 1]!);
  // smoothstep is steepest in its middle, by 1.5 times
  expect(steepest(y!)).toBeLessThan(1.51 / 480);
  expect([one.log.disposed, two.log.disposed]).toEqual([1, 0]);
});

test.each([1, 128, 300, 4096])('the same samples come out at a quantum of %i', async (quantum) => {
  const outputs = [];
  for (const size of [128, quantum]) {
    const rig = await gains(gain(1), { fade: 0.01 });
    loads(rig, 1, gain(0.25));
    outputs.push(rig.play([tone(8192)], [size])[0]);
  }
  expect(outputs[1]).toEqual(outputs[0]);
});

test('amps fade without a jump, and the new one sounds as it does alone', async () => {
  const before = bytesUsed();
  const x = tone(RATE / 2);
  const rig = await rigFor(nam({ seed: 1, H: 8 }), { fade: 0.02 });
  const [start] = rig.play([x.subarray(0, 12_800)]);
  loads(rig, 1, structuredClone(await readModel('LstmNode', nam({ seed: 2, H: 8 }), undefined)));
  const [rest] = rig.play([x.subarray(12_800)]);
  const whole = Float32Array.of(...start!, ...rest!);
  const alone = (await rigFor(nam({ seed: 2, H: 8 }))).play([x.subarray(12_800)])[0]!;
  expect(rest!.subarray(1920)).toEqual(alone.subarray(1920));
  const own = steepest((await rigFor(nam({ seed: 1, H: 8 }))).play([x])[0]!.subarray(2000));
  // the distance of two sounds that are within ±2, over the fade
  expect(steepest(whole.subarray(2000))).toBeLessThan(Math.max(own, steepest(alone.subarray(2000))) + (4 * 1.5) / 960);
  rig.send({ type: 'dispose' });
  expect(bytesUsed()).toBeGreaterThan(before);
});

describe('bypass', () => {
  test('passes the input on as late as the model is, so that nothing moves', async () => {
    const rig = await gains(gain(1, { latency: 100 }), { fade: 0.01 });
    const x = tone(20_000);
    const [plain] = rig.play([x.subarray(0, 2048)]);
    rig.send({ type: 'bypass', on: true });
    const [fading] = rig.play([x.subarray(2048, 6144)]);
    rig.send({ type: 'bypass', on: false });
    const [back] = rig.play([x.subarray(6144)]);
    const whole = Float32Array.of(...plain!, ...fading!, ...back!);
    for (let n = 100; n < whole.length; n++) expect(Math.abs(whole[n]! - x[n - 100]!)).toBeLessThan(1e-7);
  });

  test('is there from the start, and the model starts anew when it comes', async () => {
    const model = gain(0.5);
    const rig = await gains(model, { bypass: true, fade: 0.001 });
    const x = tone(1024);
    expect(rig.play([x])[0]).toEqual(x);
    rig.send({ type: 'bypass', on: true });
    rig.send({ type: 'bypass', on: false });
    rig.send({ type: 'bypass', on: false });
    expect(model.log.resets).toBe(1);
    const [y] = rig.play([x]);
    expect(y!.subarray(200)).toEqual(x.subarray(200).map((v) => 0.5 * v));
  });

  test('is kept when a model is loaded, and may be late by another time', async () => {
    const rig = await gains(gain(1, { sampleRate: 16_000 }), { bypass: true, fade: 0.001 });
    const x = tone(4096);
    expect(rig.said).toEqual([{ type: 'ready', latency: 192 }]);
    rig.play([x]);
    expect(loads(rig, 5, gain(0.1))).toEqual({ type: 'loaded', id: 5, latency: 0 });
    expect(rig.play([x])[0]!.subarray(500)).toEqual(x.subarray(500));
  });
});

test('requests during a fade: the last one is what is heard at the end, and every other model is freed', async () => {
  const models = [0.9, 0.8, 0.7, 0.6, 0.5].map((scale) => gain(scale));
  const rig = await gains(models[0]!, { fade: 0.005 });
  const x = new Float32Array(64).fill(1);
  const heard: Float32Array[] = [];
  const play = () => heard.push(rig.play([x])[0]!);
  for (const [id, model] of models.entries()) {
    if (id > 0) loads(rig, id, model);
    play();
    if (id === 2) rig.send({ type: 'bypass', on: true });
    play();
    if (id === 3) rig.send({ type: 'bypass', on: false });
  }
  for (let k = 0; k < 40; k++) play();
  expect(heard.at(-1)).toEqual(x.map(() => 0.5));
  expect(models.map(({ log }) => log.disposed)).toEqual([1, 1, 1, 1, 0]);
  expect(steepest(Float32Array.from(heard.flatMap((block) => [...block])))).toBeLessThan(1.51 / 240);
  rig.send({ type: 'dispose' });
  expect(models.map(({ log }) => log.disposed)).toEqual([1, 1, 1, 1, 1]);
});

test('a model that is loaded while its node is bypassed fades in at once', async () => {
  const rig = await gains(gain(1), { bypass: true, fade: 0.01 });
  loads(rig, 1, gain(0.5));
  rig.send({ type: 'bypass', on: false });
  const [y] = rig.play([new Float32Array(2048).fill(1)]);
  expect(new Set(y!.subarray(0, 480))).toEqual(new Set([1]));
  expect(new Set(y!.subarray(959))).toEqual(new Set([0.5]));
});

test('the load is measured when it is asked for', async () => {
  const slow = gain(1);
  const rig = await gains({
    ...slow,
    process: (x: Float32Array, y: Float32Array) => {
      for (const end = Date.now() + 4; Date.now() < end; );
      y.set(x);
    },
  });
  const none = { average: 0, peak: 0, blocks: 0, late: 0 };
  rig.play([new Float32Array(256)]);
  expect(rig.send({ type: 'measure', id: 1, on: true })).toEqual({ type: 'measured', id: 1, load: none });
  rig.play([new Float32Array(256)]);
  const load = { average: expect.any(Number), peak: expect.any(Number), blocks: 2, late: 2 };
  const answer = rig.send({ type: 'measure', id: 2, on: false });
  expect(answer).toEqual({ type: 'measured', id: 2, load });
  expect((answer as any).load.average).toBeGreaterThan(1);
  rig.play([new Float32Array(256)]);
  expect(rig.send({ type: 'measure', id: 3, on: false })).toMatchObject({ id: 3, load: { blocks: 2 } });
});

test('a fade of no length is a change from one sample to the next', async () => {
  const rig = await gains(gain(1), { fade: 0 });
  loads(rig, 1, gain(-1));
  const [y] = rig.play([new Float32Array(128).fill(1)]);
  expect(new Set(y!.subarray(2))).toEqual(new Set([-1]));
});
