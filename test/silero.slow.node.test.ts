// Silero VAD, three models of it as vad-web has them: nested Ifs for two sampling rates, weights that branches put in order.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadOnnx, type OnnxFeed } from '../src/onnx.ts';
import { readFixture, readJson } from './support/fixtures.ts';

const MODELS = new URL('../node_modules/@ricky0123/vad-web/dist/', import.meta.url);
const expected = await readJson('vad/silero.json');
const wav = await readFixture('vad/mixed.wav');
const recording = Float32Array.from(new Int16Array(wav.slice(44).buffer), (sample) => sample / 32768);

const zeros = (...dims: number[]): OnnxFeed => ({ data: new Float32Array(dims.reduce((a, b) => a * b)), dims });

for (const [name, frame, context, states, results] of [
  ['v5', 512, 64, { state: zeros(2, 1, 128) }, { state: 'stateN' }],
  ['v6', 512, 64, { state: zeros(2, 1, 128) }, { state: 'stateN' }],
  ['legacy', 1536, 0, { h: zeros(2, 1, 64), c: zeros(2, 1, 64) }, { h: 'hn', c: 'cn' }],
] as const) {
  test(`${name} gives what ONNX Runtime gives, at both sampling rates`, async () => {
    const before = bytesUsed();
    const session = loadOnnx(await readFile(new URL(`silero_vad_${name}.onnx`, MODELS)));
    for (const rate of [16000, 8000]) {
      const step = 16000 / rate;
      const samples = recording.filter((_, i) => i % step === 0);
      const size = frame / step;
      const input = new Float32Array((context + frame) / step);
      const sr = { data: BigInt64Array.of(BigInt(rate)), dims: [] };
      let fed: Record<string, OnnxFeed> = states;
      let worst = 0;
      let used = 0;
      const probabilities: number[] = expected[name][rate];
      expect(probabilities.length).toBeGreaterThanOrEqual(120);
      for (const [i, probability] of probabilities.entries()) {
        input.copyWithin(0, size);
        input.fill(0, context / step);
        input.set(samples.subarray(i * size, (i + 1) * size), context / step);
        const all = session.run({ input: { data: input, dims: [1, input.length] }, sr, ...fed });
        fed = Object.fromEntries(Object.entries(results).map(([from, to]) => [from, all[to]!]));
        const apart = Math.abs((all.output!.data[0] as number) - probability);
        worst = Math.max(worst, apart);
        if (i === 1) used = bytesUsed();
      }
      expect(worst).toBeLessThanOrEqual(5e-5);
      expect(bytesUsed()).toBe(used);
    }
    session.dispose();
    expect(bytesUsed()).toBe(before);
  });
}
