import { expect, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { onnxFile, tensorProto } from '../support/onnx-files.ts';

// Pad against a lookup of each element, and with a small plan however often elements are repeated.

const pad = (mode: string, size: number, pads: readonly number[]) =>
  loadOnnx(
    onnxFile(
      {
        nodes: [{ op: 'Pad', inputs: ['x', 'pads', 'fill'], attributes: { mode } }],
        inputs: { x: [2, size, 3] },
        initializers: [
          tensorProto('pads', [6], BigInt64Array.from([0, pads[0]!, 0, 0, pads[1]!, 0], BigInt)),
          tensorProto('fill', [], Float32Array.of(-9)),
        ],
      },
      19,
    ),
  );

/** The index among the elements that are kept which position `i` shows; outside them for a constant. */
function shown(i: number, length: number, mode: string): number {
  if (mode === 'edge') return Math.min(length - 1, Math.max(0, i));
  if (mode === 'wrap') return ((i % length) + length) % length;
  if (mode === 'reflect') return i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i;
  return i;
}

test.each(['constant', 'edge', 'reflect', 'wrap'])('%s', (mode) => {
  for (const size of [1, 2, 5]) {
    const data = Float32Array.from({ length: 6 * size }, (_, i) => i);
    for (let before = -2; before <= 13; before++) {
      for (const after of [-1, 0, 1, 2, 4, 9, 12]) {
        const cut = Math.max(0, -before);
        const length = size - cut - Math.max(0, -after);
        const most = mode === 'constant' ? 99 : mode === 'reflect' ? length - 1 : length > 0 ? 99 : 0;
        if (size + before + after < 0 || Math.max(before, after) > Math.max(0, most)) continue;
        const total = size + before + after;
        const expected = [0, 1].flatMap((outer) =>
          Array.from({ length: 3 * total }, (_, k) => {
            const from = shown(Math.floor(k / 3) - Math.max(0, before), length, mode);
            return from >= 0 && from < length ? data[(outer * size + cut + from) * 3 + (k % 3)]! : -9;
          }),
        );
        const session = pad(mode, size, [before, after]);
        const { y } = session.run({ x: { data, dims: [2, size, 3] } });
        expect({ size, before, after, data: [...y!.data] }).toEqual({ size, before, after, data: expected });
        session.dispose();
      }
    }
  }
});

test('a million repeats take a few steps', () => {
  const session = pad('wrap', 2, [1, 1_000_000]);
  const { y } = session.run({ x: { data: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), dims: [2, 2, 3] } });
  const { data } = y!;
  for (const outer of [0, 1]) {
    for (let i = 0; i < 1_000_003; i += 9973) {
      expect(data[(outer * 1_000_003 + i) * 3]).toBe(outer * 6 + (i % 2 ? 0 : 3));
    }
  }
  const { _plans: plans } = session as unknown as { _plans: { _plans: { first: { _bound: { steps: unknown[] } } }[] } };
  expect(plans._plans[0]!.first._bound.steps.length).toBeLessThanOrEqual(4);
  session.dispose();
});
