import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { serveDenoiser } from '../../examples/denoise-worklet/serve.mjs';
import { BROWSERS } from '../../scripts/browsers.mjs';
import type { MakeEffect } from '../../src/worklet/host.ts';
import { Resampler } from '../../src/worklet/resampler.ts';
import { root } from '../support/consumer.ts';
import { bytesPerCall } from '../support/garbage.ts';
import { needEngine } from '../support/need.ts';
import { Rig } from './host.ts';
import { callIn } from './pages.mjs';

// examples/denoise-worklet: what onnxruntime makes of the recording, 512 samples late: 384 of the network and a block.

const LATE = 512;
const read = (name: string) => readFileSync(join(root, 'test/fixtures/dtln', name));
const wav = read('austen-white-hum.wav').subarray(44);
const noisy = Float32Array.from({ length: wav.length / 2 }, (_, n) => wav.readInt16LE(2 * n) / 32_768);
const bytes = read('austen-white-hum.f32');
const published = Float32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(4 * n));
const models = () => ({ one: new Uint8Array(read('model_1.onnx')), two: new Uint8Array(read('model_2.onnx')) });

const largestDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, x, n) => Math.max(most, Math.abs(x - b[n]!)), 0);
const power = (x: Float32Array) => x.reduce((sum, value) => sum + value * value, 0);
/** How far above its error a signal is. */
const decibels = (x: Float32Array, expected: Float32Array) =>
  10 * Math.log10(power(expected) / power(x.map((value, n) => value - expected[n]!)));

/** The recording at 48 kHz. */
function at48(): Float32Array {
  const up = new Resampler(16_000, 48_000, noisy.length);
  up.push(noisy, noisy.length);
  const x = new Float32Array(3 * noisy.length);
  return x.subarray(0, up.pull(x, x.length));
}

/** Every third sample of what came out at 48 kHz, without its delay but for the network's 384. */
function at16(output: Float32Array, late: number): Float32Array {
  return Float32Array.from({ length: Math.floor((output.length - late) / 3) }, (_, n) => output[late + 3 * n]!);
}

describe('in Node', () => {
  let make: MakeEffect;
  beforeAll(async () => {
    const classes: any[] = [];
    vi.stubGlobal('AudioWorkletProcessor', class {});
    vi.stubGlobal('registerProcessor', (_: string, type: unknown) => classes.push(type));
    const scope = await import('lstm-wasm/worklet-scope' as string);
    expect(() => scope.registerEffect('', () => {})).toThrow(/"name.length"/);
    expect(() => scope.registerEffect('x', 1)).toThrow(/"make" expected a function/);
    expect(classes).toEqual([]);
    const { Denoiser } = (await import('../../examples/denoise-worklet/processor.mjs')) as any;
    make = (model) => new Denoiser(model);
    expect(classes).toHaveLength(17);
    vi.unstubAllGlobals();
    expect(() => scope.registerEffect('x', () => {})).toThrow(/there is no registerProcessor here/);
  });

  test.each([1, 128, 333])('at 16 kHz, in blocks of %i', (size) => {
    const rig = new Rig(models(), { make, rate: 16_000 });
    expect(rig.said).toEqual([{ type: 'ready', latency: LATE }]);
    const [y] = rig.play([noisy], [size]);
    // the published stream has 384 of them already
    expect(largestDifference(y!.subarray(128), published)).toBeLessThanOrEqual(1e-5);
    rig.send({ type: 'dispose' });
  });

  test('at 48 kHz, stereo', () => {
    const rig = new Rig(models(), { make, rate: 48_000, channels: 2 });
    const late = LATE * 3 + 192;
    expect(rig.said).toEqual([{ type: 'ready', latency: late }]);
    const x = at48();
    const [left, right] = rig.play([x, x]);
    expect(right).toEqual(left);
    // the filters take what lies above 6.6 kHz
    const y = at16(left!, late - 3 * 384);
    expect(decibels(y, published.subarray(0, y.length))).toBeGreaterThan(20);
    rig.send({ type: 'dispose' });
  });

  test('makes no garbage', { timeout: 180_000 }, () => {
    const rig = new Rig(models(), { make, rate: 16_000 });
    const [input, output] = [[noisy.subarray(0, 128)], [new Float32Array(128)]];
    expect(bytesPerCall(() => rig.host.process(input, output, {}))).toBeLessThan(1);
  });
});

describe.each(BROWSERS)('in $name', ({ name, path, start }) => {
  let server: Awaited<ReturnType<typeof serveDenoiser>>;
  beforeAll(async () => {
    server = await serveDenoiser();
  });
  afterAll(() => {
    server.close();
  });

  test('the same comes out', async (context) => {
    needEngine(context, name, path);
    const { port } = server.address() as { port: number };
    const browser = await start();
    try {
      const page = await browser.open(`http://127.0.0.1:${port}/`);
      const result = await callIn(page, '/check.js', 'denoise', { x: [...noisy], rate: 16_000 });
      expect(result.latency).toBe(LATE / 16_000);
      expect(largestDifference(Float32Array.from(result.output).subarray(128), published)).toBeLessThanOrEqual(1e-5);
      expect(result.wrong).toEqual(['ModelError', expect.stringMatching(/^onnx: /)]);
    } finally {
      await browser.close();
    }
  });
});
