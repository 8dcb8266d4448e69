import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { LayerNorm, Linear, LSTM, type TensorLike } from '../../src/index.ts';
import { serializeSafetensors } from '../../src/safetensors.ts';
import { badWavs, ExampleFolder, importExample, root } from '../support/examples.ts';
import { bytesPerCall } from '../support/garbage.ts';

const MAIN = 'denoise/main.mjs';
const RECORDINGS = ['austen-white-hum', 'command-babble'];
const H5 = join(root, 'test/fixtures/dtln/model.h5');
const data = (name: string) => join(root, 'examples/denoise/data', name);

let folder: ExampleFolder;
beforeAll(() => {
  folder = new ExampleFolder('denoise');
});
afterAll(() => folder.remove());

function floats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return Float32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(4 * n));
}

const readWav = (name: string) => new wavefile.WaveFile(readFileSync(join(folder.path, name)));
const samplesOf = (name: string) => readWav(name).getSamples(true, Float32Array as never) as unknown as Float32Array;

function compare(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  let [worst, signal, error] = [0, 0, 0];
  for (let n = 0; n < expected.length; n++) {
    const apart = Math.abs(actual[n]! - expected[n]!);
    worst = apart > worst || Number.isNaN(apart) ? apart : worst;
    signal += expected[n]! ** 2;
    error += apart ** 2;
  }
  return { worst, ratio: 10 * Math.log10(signal / error) };
}

const ok = (args: string[]) => folder.expectOk(MAIN, args);

describe('the network', () => {
  it('is small in a page: code, wasm and 8-bit weights', async () => {
    const { codeBytes, gzipBytes } = await importExample('beside.mjs');
    ok(['--save', 'page.safetensors', '--int8']);
    const entry = `export { Dtln } from './network.mjs'; export { parseSafetensors } from 'lstm-wasm/safetensors';`;
    const code = await codeBytes(entry, join(root, 'examples/dtln'));
    expect(code + gzipBytes(readFileSync(join(folder.path, 'page.safetensors')))).toBeLessThanOrEqual(950_000);
  });

  it.each(RECORDINGS)('%s: samples and states of ONNX Runtime; with 8 bits within 30 dB', async (name) => {
    const { loadDtln } = await importExample('dtln/files.mjs');
    const { denoise } = await importExample('dtln/denoise.mjs');
    const int16 = new Int16Array(new Uint8Array(readFileSync(data(`${name}.wav`)).subarray(44)).buffer);
    const samples = Float32Array.from(int16, (value) => value / 32768);
    const expected = floats(data(`${name}.f32`));
    const states = JSON.parse(readFileSync(data(`${name}.states.json`), 'utf8'));
    const { late, state } = denoise(loadDtln(), samples);
    expect(late).toHaveLength(expected.length);
    const { worst, ratio } = compare(late, expected);
    expect(worst).toBeLessThan(1e-5);
    expect(ratio).toBeGreaterThan(110);
    for (const [part, { h0, c0 }] of [
      ['model_1', state.mask],
      ['model_2', state.code],
    ] as const) {
      const found = Array.from(h0.data as Float32Array).flatMap((h, i) => [h, c0.data[i]]);
      expect(found).toHaveLength(states[part].length);
      for (const [i, value] of states[part].entries()) {
        expect(Math.abs(found[i] - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
      }
    }
    const small = compare(denoise(loadDtln(undefined, true), samples).late, expected);
    expect(small.ratio).toBeGreaterThan(30);
    expect(small.ratio).toBeLessThan(60);
  });

  it('makes no garbage', async () => {
    const { loadDtln } = await importExample('dtln/files.mjs');
    const [input, output] = [Float32Array.from({ length: 128 }, (_, n) => Math.sin(n)), new Float32Array(128)];
    for (const int8 of [false, true]) {
      const stream = loadDtln(undefined, int8).stream();
      expect(bytesPerCall(() => stream.process(input, output))).toBeLessThan(1);
    }
    expect(output.some((value) => value !== 0)).toBe(true);
  });

  it('gives the same bits in streams side by side, and after reset()', async () => {
    const { loadDtln } = await importExample('dtln/files.mjs');
    const network = loadDtln();
    const noise = floats(data('austen-white-hum.f32'));
    const run = (stream: any, from: number) => {
      return Array.from({ length: 20 }, (_, block) => {
        const at = from + 128 * block;
        const output = new Float32Array(128);
        stream.process(noise.subarray(at, at + 128), output);
        return output;
      });
    };
    const [a, b] = [network.stream(), network.stream()];
    const first = run(a, 30_000);
    const other = run(b, 40_000);
    expect(other).not.toEqual(first);
    expect(run(network.stream(), 40_000)).toEqual(other);
    a.reset();
    expect(run(a, 30_000)).toEqual(first);
  });
});

describe('main.mjs', () => {
  it('without arguments denoises the published recording, checks it and draws it', () => {
    const output = ok([]);
    expect(output).toMatch(/ {2}check {3}ok: within \S+ of onnxruntime's output/);
    expect(output).toMatch(/segmental SNR 2\.\d -> 9\.\d dB \(\+7\.\d\)/);
    expect(output).toMatch(/ [\d,]+ times faster than real time\n/);
    const svg = readFileSync(join(root, 'examples/denoise/output/austen.svg'), 'utf8');
    expect(svg.match(/<image /g)).toHaveLength(2);
    expect(svg, 'cp examples/denoise/output/austen.svg docs/pictures/denoise.svg').toBe(
      readFileSync(join(root, 'docs/pictures/denoise.svg'), 'utf8'),
    );
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(statSync(join(root, 'examples/denoise/output/austen-denoised.wav')).size).toBe(44 + 4 * 77_777);
  });

  it.each(RECORDINGS)(
    '%s: the output lies on the input, from .onnx, .h5 and a saved file with the same bits',
    (name) => {
      ok([data(`${name}.wav`), 'onnx.wav', '--expect', data(`${name}.f32`)]);
      const found = samplesOf('onnx.wav');
      const expected = floats(data(`${name}.f32`)).subarray(384, 384 + found.length);
      expect(found.length).toBe(new wavefile.WaveFile(readFileSync(data(`${name}.wav`))).getSamples().length);
      const { worst, ratio } = compare(found, expected);
      expect(worst).toBeLessThan(1e-4);
      expect(ratio).toBeGreaterThan(90);
      ok([data(`${name}.wav`), 'h5.wav', '--weights', H5]);
      ok(['--save', 'dtln.safetensors', '--weights', H5]);
      ok([data(`${name}.wav`), 'saved.wav', '--weights', 'dtln.safetensors']);
      for (const other of ['h5.wav', 'saved.wav']) expect(samplesOf(other)).toEqual(found);
    },
  );

  it('8-bit weights from a file have the bits of those made at load', () => {
    const input = data('austen-white-hum.wav');
    ok(['--save', 'int8.safetensors', '--int8']);
    expect(statSync(join(folder.path, 'int8.safetensors')).size).toBeLessThan(1_030_000);
    ok([input, 'file.wav', '--weights', 'int8.safetensors']);
    const text = ok([input, 'load.wav', '--int8', '--expect', data('austen-white-hum.f32')]);
    expect(text).toContain('8-bit weights');
    expect(text).toMatch(/ok: within \S+ of onnxruntime's output, 3\d dB/);
    expect(samplesOf('file.wav')).toEqual(samplesOf('load.wav'));
  });

  it('takes every format, rate and number of channels, and keeps length, rate and channels', () => {
    const tone = (length: number, scale: number, add = 0) =>
      Array.from({ length }, (_, n) => Math.round(scale * Math.sin(n / 9)) + add);
    const cases: [rate: number, bits: string, channels: number[][]][] = [
      [8000, '8', [tone(801, 90, 128)]],
      [16_000, '24', [tone(1000, 2 ** 21)]],
      [44_100, '16', [tone(4411, 9000), tone(4411, 3000)]],
      [48_000, '32', [tone(5000, 2 ** 28)]],
      [48_000, '32f', [tone(1, 1), tone(1, 1), tone(1, 1)]],
    ];
    for (const [rate, bits, channels] of cases) {
      folder.wav('in.wav', rate, bits, channels);
      ok(['in.wav', 'out.wav', '--svg', 'out.svg']);
      const { fmt, bitDepth } = readWav('out.wav') as any;
      expect([fmt.sampleRate, fmt.numChannels, bitDepth]).toEqual([rate, channels.length, '32f']);
      const found = samplesOf('out.wav');
      expect(found).toHaveLength(channels.length * channels[0]!.length);
      expect(found.every(Number.isFinite)).toBe(true);
    }
  });

  it('stays aligned at 48 kHz and 44.1 kHz, in each channel', async () => {
    const { resample } = await importExample('sound/resample.mjs');
    const expected = floats(data('austen-white-hum.f32')).subarray(384, 384 + 32_000);
    const int16 = new Int16Array(new Uint8Array(readFileSync(data('austen-white-hum.wav')).subarray(44)).buffer);
    const samples = Float32Array.from(int16.subarray(0, 32_000), (value) => value / 32768);
    for (const rate of [44_100, 48_000]) {
      const fast: Float32Array = await resample(samples, 16_000, rate);
      folder.wav('fast.wav', rate, '32f', [fast, new Float32Array(fast.length)]);
      ok(['fast.wav', 'fast-out.wav']);
      const interleaved = samplesOf('fast-out.wav');
      expect(interleaved.filter((_, n) => n % 2).every((value) => value === 0)).toBe(true);
      const back: Float32Array = await resample(
        interleaved.filter((_, n) => n % 2 === 0),
        rate,
        16_000,
      );
      // the resamplers take away what lies between 7 and 8 kHz
      expect(compare(back, expected).ratio).toBeGreaterThan(20);
      const late = back.subarray(1);
      expect(compare(late, expected.subarray(0, late.length)).ratio).toBeLessThan(15);
    }
  });

  it('compares silence and shorter clean recordings without nonsense', () => {
    folder.wav('silent.wav', 16_000, '16', [new Int16Array(3000)]);
    folder.wav('loud.wav', 16_000, '16', [new Int16Array(3000).map((_, n) => 20_000 * Math.sin(n * n))]);
    folder.wav('brief.wav', 16_000, '16', [new Int16Array(9).fill(1000)]);
    for (const input of ['silent.wav', 'loud.wav', 'brief.wav']) {
      for (const clean of ['silent.wav', 'loud.wav', 'brief.wav']) {
        expect(ok([input, 'out.wav', '--clean', clean])).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
    expect(samplesOf('out.wav')).toHaveLength(9);
    ok(['silent.wav', 'out.wav']);
    expect(samplesOf('out.wav').every((value) => value === 0)).toBe(true);
  });

  it('exits with 1 if the output is not the expected one', () => {
    const input = data('austen-white-hum.wav');
    const right = readFileSync(data('austen-white-hum.f32'));
    const moved = Buffer.from(right);
    moved.writeFloatLE(right.readFloatLE(4 * 5000) + 2e-4, 4 * 5000);
    for (const expected of [moved, right.subarray(4)]) {
      folder.write('wrong.f32', expected);
      const { status, stdout } = folder.run(MAIN, [input, 'out.wav', '--expect', 'wrong.f32']);
      expect(stdout).toMatch(/^ {2}check {3}WRONG: /m);
      expect(status).toBe(1);
    }
  });

  it('refuses in one line what it cannot use, and writes nothing', () => {
    for (const [path, message] of badWavs(folder)) folder.expectRefused(MAIN, [path, 'refused.wav'], message);
    const good = 'good.wav';
    folder.expectRefused(MAIN, [good, 'refused.wav', '--clean', 'nowhere.wav'], /nowhere.wav: ENOENT/);
    const wide = Buffer.alloc(44 + 2 * 20_000);
    readFileSync(join(folder.path, good)).copy(wide, 0, 0, 44);
    wide.writeUInt16LE(20_000, 22);
    wide.writeUInt32LE(2 * 20_000, 40);
    const many = folder.write('many.wav', wide);
    folder.expectRefused(MAIN, [many, 'refused.wav'], /expected at most 64 channels, got 20000/);
    const before = readFileSync(join(folder.path, good));
    folder.expectRefused(MAIN, [good, good], /it is the recording itself, which would be lost/);
    expect(readFileSync(join(folder.path, good))).toEqual(before);
    folder.expectRefused(MAIN, [good, 'refused.wav', '--expect', 'nowhere.f32'], /nowhere.f32: ENOENT/);
    folder.expectRefused(MAIN, [good, 'refused.wav', '--expect', folder.write('odd.f32', 'abc')], /got 3 bytes/);
    folder.expectRefused(MAIN, [good, 'refused.wav', '--weights', 'nowhere'], /nowhere: ENOENT/);
    folder.expectRefused(MAIN, [good, 'refused.wav', '--weights', '.'], /model_1.onnx: ENOENT/);
    folder.expectRefused(MAIN, [good, 'refused.wav', '--weights', folder.write('none', '')], /none: the file is empty/);
    folder.expectRefused(MAIN, [good, 'refused.wav', '--weights', good], /safetensors/);
    const sizes = new Map<string, TensorLike>();
    for (const [prefix, module] of [
      ['mask.lstm.', new LSTM(257, 64, { numLayers: 2 })],
      ['mask.head.', new Linear(64, 257)],
      ['encoder.', new Linear(512, 256, { bias: false })],
      ['norm.', new LayerNorm(256)],
      ['code.lstm.', new LSTM(256, 64, { numLayers: 2 })],
      ['code.head.', new Linear(64, 256)],
      ['decoder.', new Linear(256, 512, { bias: false })],
    ] as const) {
      for (const [key, tensor] of module.stateDict(prefix)) sizes.set(key, tensor);
    }
    folder.write('sizes', serializeSafetensors(sizes));
    folder.expectRefused(
      MAIN,
      [good, 'refused.wav', '--weights', 'sizes'],
      /"mask.lstm" expected sizes 257, 128, 2, 1/,
    );
    const other = join(root, 'test/fixtures/keras/model.h5');
    folder.expectRefused(MAIN, [good, 'refused.wav', '--weights', other], /DTLN: "lstm.lstm.kernel:0".* got/);
    expect(existsSync(join(folder.path, 'refused.wav'))).toBe(false);
    folder.expectRefused(MAIN, [good, 'no-such-folder/out.wav'], /no-such-folder\/out.wav: ENOENT/);
  });

  it('refuses wrong usage, and --help tells the right one', () => {
    for (const args of [['a.wav', 'b.wav', 'c.wav'], ['--fast'], ['--svg'], ['-x'], ['--int8=1']]) {
      folder.expectRefused(MAIN, args, /./);
    }
    const { status, stdout } = folder.run(MAIN, ['--help']);
    expect(stdout).toMatch(/^usage: node examples\/denoise/);
    expect(status).toBe(0);
  });
});
