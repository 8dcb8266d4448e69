import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fetchDrawing } from '../../src/voice/drawing.ts';
import { stretches } from '../../src/voice/stretches.ts';

const known = JSON.parse(
  readFileSync(new URL('../../../examples/voice-activity/data/mixed.v5.json', import.meta.url), 'utf8'),
);

test('what is drawn before the model has come is what the model says', async () => {
  const file = readFileSync(new URL('../../public/built/voice-drawing.bin', import.meta.url));
  const reading = await fetchDrawing(`data:application/octet-stream;base64,${file.toString('base64')}`);
  expect(reading.steps).toBe(1282);
  for (let n = 0; n < reading.steps; n++) expect(reading.probabilities[n]).toBeCloseTo(known.probabilities[n], 3);
  const found = stretches(reading.probabilities, reading.steps, { on: 0.5, off: 0.35 });
  expect(found.map(({ from }) => Math.round(from * 16_000))).toEqual(
    known.segments.map(({ start }: { start: number }) => start),
  );
  // loud speech, in whose frames many units are far from zero
  expect(reading.amplitude(9.63)).toBeGreaterThan(0.2);
  expect(reading.extremes(9.63).above).toBeGreaterThan(10);
  expect(reading.extremes(9.63).below).toBeGreaterThan(10);
  expect(reading.spectrum().columns).toBeGreaterThan(2500);
  expect([...reading.order].sort((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, n) => n));
  // the colours of zero stand in the middle
  expect(reading.cells().data[0]! % 8).toBe(0);
});
