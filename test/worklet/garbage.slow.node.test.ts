import { expect, test } from 'vitest';
import { wasm } from '../../src/memory/wasm.ts';
import { guitarML, nam, rtneural } from '../support/audio-files.ts';
import { bytesPerCall } from '../support/garbage.ts';
import { rigFor } from './host.ts';

// The JS heap is measured around process(), in quanta of all sizes.

const block = (size: number) => new Float32Array(size).fill(0.25);

test.each([
  ['an amp at its own rate', nam({ H: 8 }), { channels: 1 }],
  ['stereo', nam({ H: 8 }), { channels: 2 }],
  ['knobs', guitarML({ I: 3, H: 8 }), {}],
  [
    'elu',
    rtneural({
      H: 4,
      dense: [
        [2, 'elu'],
        [1, ''],
      ],
    }),
    {},
  ],
  ['from 44.1 kHz', nam({ H: 8 }), { rate: 44_100, channels: 2 }],
  ['from 96 kHz', nam({ H: 8 }), { rate: 96_000 }],
  ['to a rate that has no small ratio to the other', nam({ H: 8 }), { rate: 47_999 }],
  ['bypassed', nam({ H: 8 }), { rate: 44_100, bypass: true }],
])('no garbage in process(): %s', async (_, file, options) => {
  const rig = await rigFor(file, options);
  const sizes = [128, 256, 1, 4096, 77, 130];
  const calls = sizes.map((size) => {
    const channels = () => Array.from({ length: rig.channels }, () => block(size));
    return [channels(), channels()] as const;
  });
  let k = 0;
  const { host, knobs } = rig;
  const call = () => {
    const [input, output] = calls[k++ % (k & 64 ? 3 : calls.length)]!;
    if (output[0]!.length < 4096 || k % 64 === 0) host.process(input, output, knobs);
  };
  const before = wasm().memory.buffer.byteLength;
  expect(bytesPerCall(call)).toBeLessThan(1);
  expect(wasm().memory.buffer.byteLength).toBe(before);
  expect(rig.said).toHaveLength(1);
});

test('no garbage during a fade', async () => {
  const rig = await rigFor(nam({ H: 4 }), { fade: 10 });
  const { host, knobs } = rig;
  const [input, output] = [[block(1)], [block(1)]];
  rig.send({ type: 'bypass', on: true });
  // 480,000 samples unheard and as many heard: more than what is measured
  expect(bytesPerCall(() => host.process(input, output, knobs))).toBeLessThan(1);
});
