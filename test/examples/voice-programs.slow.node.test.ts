import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { type AnyTensor, LSTM } from '../../src/index.ts';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors.ts';
import { badWavs, ExampleFolder, importExample, root } from '../support/examples.ts';
import { data, MAIN, MIXED, positions, published, recording, samplesOf } from '../support/voice.ts';

let folder: ExampleFolder;
beforeAll(() => {
  folder = new ExampleFolder('voice');
});
afterAll(() => folder.remove());

const ok = (args: string[], input: Uint8Array | string = '') => folder.expectOk(MAIN, args, input);

describe('server.mjs', () => {
  const SERVER = 'voice-activity/server.mjs';

  it('steps callers who join and leave, each of whom hears what it hears alone', () => {
    for (const more of [[], ['--int8', '--model', 'v5']]) {
      const { status, stdout, stderr } = folder.run(SERVER, ['--callers', '20', '--seconds', '1', ...more]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('ok: 25 of 25 callers heard the bits that they hear alone');
      expect(stdout).toMatch(/one core carries [\d,]+ callers in real time/);
    }
  });

  it('refuses wrong usage in one line', () => {
    for (const args of [['--callers', '0'], ['--callers', 'many'], ['--seconds', '-1'], ['--model', 'v7'], ['x']]) {
      folder.expectRefused(SERVER, args, /./);
    }
    expect(folder.run(SERVER, ['--help']).stdout).toMatch(/^usage: node examples\/voice-activity\/server.mjs/);
  });
});

describe('main.mjs', () => {
  it('without arguments listens to the published recording, checks it and draws it', () => {
    const output = ok([]);
    expect(output).toContain('ok: 6 segments as published; probabilities within ');
    expect(output).toContain('          1    2.242 s    5.246 s    3.004 s\n');
    expect(output).toMatch(/^ {4}1 .*█/m);
    expect(output).toMatch(/ [\d,]+ times faster than real time\n/);
    expect(Math.max(...output.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(110);
    const svg = readFileSync(join(root, 'examples/voice-activity/output/mixed.svg'), 'utf8');
    expect(svg, 'cp examples/voice-activity/output/mixed.svg docs/pictures/voice-activity.svg').toBe(
      readFileSync(join(root, 'docs/pictures/voice-activity.svg'), 'utf8'),
    );
    expect(svg.match(/class="speech"/g)).toHaveLength(6);
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('takes every format, rate and number of channels', async () => {
    const { resample } = await importExample('sound/resample.mjs');
    const { segments } = published('go-forward', 'v6');
    const speech = Float32Array.from(samplesOf(recording('go-forward')), (value) => value / 32768);
    const cases: [rate: number, bits: string, scale: number, channels: number][] = [
      [8000, '16', 2 ** 15 - 1, 1],
      [16_000, '8', 127, 1],
      [16_000, '24', 2 ** 23 - 1, 2],
      [22_050, '32', 2 ** 31 - 1, 1],
      [44_100, '32f', 1, 2],
      [48_000, '16', 2 ** 15 - 1, 3],
    ];
    for (const [rate, bits, scale, channels] of cases) {
      const resampled: Float32Array = await resample(speech, 16_000, rate);
      const values = Array.from(resampled, (v) => Math.max(-1, Math.min(1, v)) * scale);
      const rounded = bits === '32f' ? values : values.map((v) => Math.round(v) + (bits === '8' ? 128 : 0));
      folder.wav('in.wav', rate, bits, Array(channels).fill(rounded));
      for (const found of [
        JSON.parse(ok(['in.wav', '--json', '--svg', 'in.svg'])),
        JSON.parse(
          ok(['-', '--json'], readFileSync(join(folder.path, 'in.wav')))
            .trim()
            .split('\n')
            .at(-1)!,
        ),
      ]) {
        expect(found.seconds).toBeCloseTo(speech.length / 16_000, 3);
        expect(found.segments, `${rate} ${bits}`).toHaveLength(segments.length);
        expect(found.segments[0].startSeconds).toBeCloseTo(segments[0].start / 16_000, 0);
        expect(found.segments[0].endSeconds).toBeCloseTo(segments[0].end / 16_000, 0);
      }
      expect(readFileSync(join(folder.path, 'in.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
    }
  });

  it('says so where there is no speech, and draws recordings of one sample and of none of it', () => {
    folder.wav('one.wav', 16_000, '16', [new Int16Array(1)]);
    expect(ok(['one.wav', '--svg', 'one.svg'])).toMatch(/\nno speech\n$/);
    expect(readFileSync(join(folder.path, 'one.svg'), 'utf8')).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('exits with 1 if the answer is not the expected one', () => {
    const answer = published('go-forward', 'v6');
    const moved = structuredClone(answer);
    moved.segments[0].end += 1;
    const other = structuredClone(answer);
    other.probabilities[20] += 2e-4;
    const short = { ...answer, probabilities: answer.probabilities.slice(1) };
    for (const [i, wrong] of [moved, other, short].entries()) {
      folder.write(`wrong${i}.json`, JSON.stringify(wrong));
      const args = [recording('go-forward'), '--expect', `wrong${i}.json`];
      const { status, stdout, stderr } = folder.run(MAIN, args);
      expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
      expect(stdout).toMatch(/^ {2}check {3}WRONG: /m);
    }
    expect(folder.run(MAIN, [recording('go-forward'), '--expect', 'wrong0.json', '--json'])).toMatchObject({
      status: 1,
    });
    ok([recording('go-forward'), '--expect', data('go-forward.v6.json')]);
  });
});

describe('a pipe', () => {
  it('gives the segments of the file, whatever pieces it comes in, from WAV and raw', () => {
    const wav = readFileSync(MIXED);
    const { segments } = published('mixed', 'v6');
    for (const lines of [ok(['-', '--json'], wav), ok(['-', '--json', '--rate', '16000'], wav.subarray(44))]) {
      const events = lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const ends = events.filter(({ event }) => event === 'end');
      expect(ends.map(({ start, end }) => [start * 16_000, end * 16_000])).toEqual(positions(segments));
      expect(events.filter(({ event }) => event === 'start')).toHaveLength(events.length - 1 - ends.length);
      expect(positions(events.at(-1).segments)).toEqual(positions(segments));
    }
    ok(['-', '--expect', data('mixed.v6.json')], wav);
  });

  it('prints an event while the pipe is still open', async () => {
    const child = spawn(process.execPath, [join(root, 'examples', MAIN), '-']);
    const wav = readFileSync(MIXED);
    for (let at = 0; at < 44 + 2 * 16_000 * 3; at += 3001) child.stdin.write(wav.subarray(at, at + 3001));
    const [first] = await once(child.stdout, 'data');
    expect(String(first)).toBe('     2.242 s  speech begins\n');
    child.stdin.end();
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
  });

  it('takes a WAV header whose length is not known, and one that comes a byte at a time', async () => {
    const wav = Buffer.from(readFileSync(recording('go-forward')));
    wav.writeUInt32LE(0xffffffff, 4);
    wav.writeUInt32LE(0xffffffff, 40);
    ok(['-', '--expect', data('go-forward.v6.json')], wav);
    wav.writeUInt32LE(0, 40);
    const answer = ok(['-', '--json'], wav).split('\n').at(-2);
    // a file with another chunk after its samples
    wav.writeUInt32LE(wav.length - 44, 40);
    const list = Buffer.from('LIST\x04\0\0\0INFO'.repeat(500), 'latin1');
    expect(
      ok(['-', '--json'], Buffer.concat([wav, list]))
        .split('\n')
        .at(-2),
    ).toBe(answer);
    const { SoundStream } = await importExample('sound/wav-stream.mjs');
    const sound = new SoundStream('test');
    const samples = Array.from(wav.subarray(0, 60), (_, i) => sound.push(wav.subarray(i, i + 1))).flatMap((part) => [
      ...part,
    ]);
    expect(sound.rate).toBe(16_000);
    expect(samples).toEqual(Array.from({ length: 8 }, (_, n) => wav.readInt16LE(44 + 2 * n) / 32768));
    sound.end();
  });

  it('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [join(root, 'examples', MAIN), '-']);
    child.stdout.destroy();
    const errors: Buffer[] = [];
    child.stderr.on('data', (bytes) => errors.push(bytes));
    child.stdin.on('error', () => {});
    child.stdin.end(readFileSync(MIXED));
    const [code] = await once(child, 'close');
    expect({ code, errors: Buffer.concat(errors).toString() }).toEqual({ code: 0, errors: '' });
  });

  it('refuses in one line what is no sound', () => {
    const good = readFileSync(recording('go-forward'));
    const patched = (at: number, value: number) => {
      const bytes = Buffer.from(good.subarray(0, 2000));
      bytes.writeUInt16LE(value, at);
      return bytes;
    };
    const nan = new wavefile.WaveFile();
    nan.fromScratch(1, 16_000, '32f', Float32Array.of(0, Number.NaN));
    const refused: [args: string[], input: Uint8Array | string, message: RegExp][] = [
      [[], '', /stdin: it has no samples/],
      [[], good.subarray(0, 44), /stdin: it has no samples/],
      [[], good.subarray(0, 30), /ends before its "data" chunk/],
      [[], 'R', /ends before its "data" chunk/],
      [[], 'no sound', /does not begin with RIFF and WAVE/],
      [[], 'RIFF1234WAVX', /does not begin with RIFF and WAVE/],
      [[], Buffer.concat([good.subarray(0, 12), good.subarray(36)]), /no "fmt " chunk before/],
      [[], Buffer.concat([good.subarray(0, 12), Buffer.alloc(2 ** 21)]), /no "data" chunk in its first MB/],
      [[], patched(20, 0x55), /got format 85/],
      [[], patched(22, 0), /0 channels/],
      [[], patched(34, 7), /of 7 bits/],
      [[], patched(24, 7), /expected a sample rate of 1000/],
      [[], nan.toBuffer(), /a sample is NaN/],
      [['--rate', '16000'], '', /no samples/],
      [['--rate', 'fast'], 'ab', /--rate: expected a number of Hz, got fast/],
      [['--rate', '1e9'], 'abcd', /expected a sample rate/],
    ];
    for (const [args, input, message] of refused) folder.expectRefused(MAIN, ['-', ...args], message, input);
  });
});

describe('what cannot be used', () => {
  it('is refused in one line', () => {
    for (const [path, message] of badWavs(folder)) folder.expectRefused(MAIN, [path, '--svg', 'refused.svg'], message);
    const good = recording('go-forward');
    folder.expectRefused(MAIN, [good, '--model', 'v7'], /v7: ENOENT/);
    folder.expectRefused(MAIN, [good, '--model', folder.write('bad.onnx', 'not a model')], /onnx: /);
    const other = join(root, 'test/fixtures/dtln/model_1.onnx');
    folder.expectRefused(MAIN, [good, '--model', other], /expected Silero VAD v5 or v6 .* got a model of input_2/);
    folder.expectRefused(MAIN, [good, '--model', other, '--int8'], /is this file of v5 or v6/);
    folder.expectRefused(MAIN, [good, '--weights', folder.write('bad.safetensors', '{}')], /safetensors/);
    folder.expectRefused(MAIN, ['\x1b[2J\n.wav'], /\ufffd\[2J .wav: ENOENT/);
    ok(['--save', 'good.safetensors']);
    const weights = new Map<string, AnyTensor>(parseSafetensors(readFileSync(join(folder.path, 'good.safetensors'))));
    for (const [key, tensor] of new LSTM(128, 64).stateDict('lstm.')) weights.set(key, tensor);
    folder.write('other.safetensors', serializeSafetensors(weights));
    folder.expectRefused(
      MAIN,
      [good, '--weights', 'other.safetensors'],
      /"lstm" expected sizes 128, 128, 1, got 128, 64/,
    );
    folder.expectRefused(MAIN, [good, '--expect', 'nowhere.json'], /ENOENT/);
    folder.expectRefused(MAIN, [good, '--expect', folder.write('bad.json', '[]')], /expected JSON as --json prints it/);
    folder.expectRefused(MAIN, [good, '--svg', 'no-such-folder/x.svg'], /ENOENT/);
    folder.expectRefused(MAIN, [good, '--rate', '16000'], /--rate is for stdin/);
    expect(existsSync(join(folder.path, 'refused.svg'))).toBe(false);
  });

  it('is refused as wrong usage, and --help tells the right one', () => {
    for (const args of [['a.wav', 'b.wav'], ['--fast'], ['--model'], ['-x'], ['--json=1']]) {
      folder.expectRefused(MAIN, args, /./);
    }
    const { status, stdout } = folder.run(MAIN, ['--help']);
    expect(stdout).toMatch(/^usage: node examples\/voice-activity/);
    expect(status).toBe(0);
  });
});
