import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../../src/audio.ts';
import { bytesUsed } from '../../src/index.ts';
import { guitarML, nam, rtneural, torchModules } from '../support/audio-files.ts';
import { uniforms } from '../support/random.ts';
import { rigFor } from './host.ts';

// The processor's core without a worklet: what it plays is what AudioModel plays.

function noise(count: number, seed = 1): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length: count }, () => 2 * next() - 1);
}

const elu: [number, string][] = [
  [5, 'elu'],
  [1, 'tanh'],
];
const MODELS = [
  ['NAM', nam({ H: 9, layers: 2 }), loadNam],
  ['RTNeural', rtneural({ H: 8, dense: elu }), loadRTNeural],
  ['a state dict as JSON', torchModules({ lstms: [['a', 2]] }), loadRTNeural],
  ['GuitarML', guitarML({ I: 3, H: 12 }), loadGuitarML],
  ['a GRU of GuitarML', guitarML({ I: 2, H: 9, layers: 2, unit: 'GRU' }), loadGuitarML],
  ['a GRU of RTNeural', rtneural({ H: 8, dense: elu, unit: 'GRU' }), loadRTNeural],
] as const;

describe.each(MODELS)('%s', (_, file, load) => {
  const x = noise(20_000);

  test.each([1, 2, 64, 127, 128, 129, 200, 256, 1024, 4096])(
    'has the bits of AudioModel at a quantum of %i',
    async (quantum) => {
      const rig = await rigFor(JSON.stringify(file));
      expect(rig.said).toEqual([{ type: 'ready', latency: 0 }]);
      const knobs = Object.values(rig.knobs).map((values, k) => (values[0] = k / 4 + 0.25));
      const expected = new Float32Array(x.length);
      load(file).process(x, expected, knobs);
      const input = x.subarray(0, 2000 + quantum);
      expect(rig.play([input], [quantum])[0]).toEqual(expected.subarray(0, input.length));
      rig.send({ type: 'dispose' });
    },
  );

  test('has them at quanta that change', async () => {
    const rig = await rigFor(file);
    const expected = new Float32Array(x.length);
    load(file).process(
      x,
      expected,
      Object.values(rig.knobs).map(() => 0),
    );
    expect(rig.play([x], [1, 4096, 128, 3, 777, 256, 130])[0]).toEqual(expected);
  });
});

describe('stereo', () => {
  test.each([48_000, 44_100])('is two monos, at %i Hz', async (rate) => {
    const [left, right] = [noise(5000, 3), noise(5000, 4)];
    const model = nam({ H: 7 });
    const stereo = await rigFor(model, { rate, channels: 2 });
    const monos = [];
    for (const side of [left, right]) monos.push((await rigFor(model, { rate })).play([side])[0]);
    expect(stereo.play([left, right])).toEqual(monos);
  });
});

test('everything is freed at the end', async () => {
  const before = bytesUsed();
  const rig = await rigFor(nam(), { channels: 2 });
  rig.play([noise(500), noise(500)]);
  expect(bytesUsed()).toBeGreaterThan(before);
  rig.send({ type: 'dispose' });
  expect(bytesUsed()).toBe(before);
  expect(rig.host.process([], [new Float32Array(128)], {})).toBe(false);
});
