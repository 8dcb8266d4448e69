import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { type AnyTensor, LSTM } from '../../src/index.ts';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors.ts';
import { badWavs, ExampleFolder, importExample, root } from '../support/examples.ts';
import { bytesPerCall } from '../support/garbage.ts';

const MAIN = 'voice-activity/main.mjs';
const MIXED = join(root, 'test/fixtures/vad/mixed.wav');
const NAMES = ['go-forward', 'librivox-austen', 'prompt-it', 'mixed'];
const data = (name: string) => join(root, 'examples/voice-activity/data', name);
const recording = (name: string) => (name === 'mixed' ? MIXED : data(`${name}.wav`));
const published = (name: string, model: string) => JSON.parse(readFileSync(data(`${name}.${model}.json`), 'utf8'));
const samplesOf = (path: string) => new Int16Array(new Uint8Array(readFileSync(path).subarray(44)).buffer);

let folder: ExampleFolder;
beforeAll(() => {
  folder = new ExampleFolder('voice');
});
afterAll(() => folder.remove());

function ok(args: string[], input: Uint8Array | string = ''): string {
  const { status, stdout, stderr } = folder.run(MAIN, args, input);
  expect({ status, stderr }, args.join(' ')).toEqual({ status: 0, stderr: '' });
  return stdout;
}

const positions = (segments: any[]) => segments.map(({ start, end }) => [start, end]);

function expectNear(actual: number[], expected: number[], tolerance: number) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) {
    // false for NaN too
    if (!(Math.abs(actual[i]! - value) <= tolerance)) expect(actual[i], `frame ${i}`).toBeCloseTo(value, 5);
  }
}

function expectState(actual: Record<string, number[]>, expected: Record<string, number[]>) {
  for (const part of ['h', 'c'] as const) {
    expect(actual[part]).toHaveLength(128);
    for (const [i, value] of expected[part]!.entries()) {
      expect(Math.abs(actual[part]![i]! - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
    }
  }
}

describe.each(['v5', 'v6'])('Silero VAD %s', (model) => {
  it.each(NAMES)('%s: probabilities, segments and state of ONNX Runtime', (name) => {
    const { segments, probabilities, finalState, samples } = published(name, model);
    const found = JSON.parse(ok([recording(name), '--model', model, '--json']));
    expect(found).toMatchObject({ model, sampleRate: 16_000, frameSamples: 512, samples });
    expectNear(found.probabilities, probabilities, 1e-5);
    if (name === 'mixed') expect(found.probabilities[1186]).toBeGreaterThanOrEqual(0);
    expect(positions(found.segments)).toEqual(positions(segments));
    expect(found.segments.map((segment: any) => segment.startSeconds)).toEqual(
      segments.map(({ start }: any) => start / 16_000),
    );
    expectState(found.finalState, finalState);
  });

  it('at 8 kHz has the probabilities of ONNX Runtime', () => {
    const expected: number[] = JSON.parse(readFileSync(join(root, 'test/fixtures/vad/silero.json'), 'utf8'))[
      model
    ][8000];
    const samples = samplesOf(MIXED).filter((_, i) => i % 2 === 0);
    folder.wav('8k.wav', 8000, '16', [samples]);
    const found = JSON.parse(ok(['8k.wav', '--model', model, '--json']));
    expect(found).toMatchObject({ sampleRate: 8000, frameSamples: 256, samples: samples.length });
    expect(expected.length).toBeGreaterThanOrEqual(120);
    expectNear(found.probabilities.slice(0, expected.length), expected, 5e-5);
  });

  it('has the same segments with 8-bit weights, made at load or read from a file of a third of the size', async () => {
    ok(['--save', 'float.safetensors', '--model', model]);
    ok(['--save', 'int8.safetensors', '--model', model, '--int8']);
    const [float, int8] = ['float', 'int8'].map((name) => statSync(join(folder.path, `${name}.safetensors`)).size);
    expect(int8! / float!).toBeLessThan(0.34);
    const [{ openSmall }, { Analysis }] = await Promise.all([
      importExample('voice-activity/files.mjs'),
      importExample('voice-activity/analysis.mjs'),
    ]);
    const hear = (name: string, options: object) => {
      const detector = openSmall({ model, ...options });
      const analysis = new Analysis(detector);
      analysis.push(Float32Array.from(samplesOf(recording(name)), (value) => value / 32768));
      analysis.end();
      const { h, c } = detector.getState();
      return { ...analysis, segments: positions(analysis.segments), finalState: { h: [...h], c: [...c] } };
    };
    const weights = (name: string) => ({ weights: join(folder.path, `${name}.safetensors`) });
    for (const name of NAMES) {
      const { segments, probabilities, finalState } = published(name, model);
      const small = hear(name, { int8: true });
      expect(small.segments).toEqual(positions(segments));
      expectNear(small.probabilities, probabilities, 0.1);
      expect(hear(name, weights('int8')).probabilities).toEqual(small.probabilities);
      const whole = hear(name, weights('float'));
      expectNear(whole.probabilities, probabilities, 1e-5);
      expectState(whole.finalState, finalState);
    }
    const [name] = NAMES;
    for (const args of [
      ['--model', model, '--int8'],
      ['--weights', 'int8.safetensors'],
    ]) {
      const found = JSON.parse(ok([recording(name!), ...args, '--json', '--expect', data(`${name}.${model}.json`)]));
      expect(found.probabilities).toEqual(hear(name!, { int8: true }).probabilities);
    }
  });
});

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

describe('the network', () => {
  it('is small in a page: code, wasm and weights', async () => {
    const [{ codeBytes, gzipBytes }, { saveWeights }] = await Promise.all([
      importExample('beside.mjs'),
      importExample('voice-activity/files.mjs'),
    ]);
    const entry = `export { OneCaller, VoiceNetwork } from './network.mjs'; export { expand } from './small.mjs';
      export { parseSafetensors } from 'lstm-wasm/safetensors';`;
    const code = await codeBytes(entry, join(root, 'examples/voice-activity'));
    for (const [int8, allowed] of [
      [false, 1_150_000],
      [true, 350_000],
    ] as const) {
      for (const model of ['v5', 'v6']) {
        saveWeights(join(folder.path, 'page.safetensors'), { model, int8 });
        const weights = gzipBytes(readFileSync(join(folder.path, 'page.safetensors')));
        expect(code + weights).toBeLessThanOrEqual(allowed);
      }
    }
  });

  it('makes no garbage in a frame', async () => {
    const [{ Detector }, { readModel }, { openSmall }] = await Promise.all([
      importExample('voice-activity/detector.mjs'),
      importExample('voice-activity/model.mjs'),
      importExample('voice-activity/files.mjs'),
    ]);
    const frame = Float32Array.from({ length: 512 }, (_, n) => Math.sin(n));
    const detector = new Detector(readModel('v6'), 16_000);
    expect(bytesPerCall(() => void detector.push(frame))).toBeLessThan(1);
    expect(openSmall({ model: 'v6', int8: false }).push(frame)).toBeGreaterThan(0);
  });

  it('gives each of many callers the bits that it has alone', async () => {
    const [{ readModel }, { VoiceNetwork, FRAME }, { readWeights }, { expand, shrink }] = await Promise.all([
      importExample('voice-activity/model.mjs'),
      importExample('voice-activity/network.mjs'),
      importExample('voice-activity/weights.mjs'),
      importExample('voice-activity/small.mjs'),
    ]);
    const speech = Float32Array.from(samplesOf(recording('go-forward')), (value) => value / 32768);
    const weights = readWeights(readModel('v6'));
    for (const form of [weights, expand(shrink(weights))]) {
      const network = new VoiceNetwork(form);
      const alone = (from: number, frames: number) => {
        const id = network.open();
        const probability = new Float32Array(1);
        return Array.from({ length: frames }, (_, k) => {
          const at = from + k * FRAME;
          network.step([id], speech.subarray(at, at + FRAME), probability);
          return probability[0]!;
        });
      };
      const callers = Array.from({ length: 9 }, (_, i) => ({
        id: network.open(),
        from: 1000 * i,
        heard: [] as number[],
      }));
      for (let tick = 0; tick < 40; tick++) {
        const ready = callers.filter((_, i) => tick % (1 + (i % 3)) === 0);
        const frames = new Float32Array(ready.length * FRAME);
        for (const [k, { from, heard }] of ready.entries()) {
          const at = from + heard.length * FRAME;
          frames.set(speech.subarray(at, at + FRAME), k * FRAME);
        }
        const probabilities = new Float32Array(ready.length);
        network.step(
          ready.map(({ id }) => id),
          frames,
          probabilities,
        );
        for (const [k, { heard }] of ready.entries()) heard.push(probabilities[k]!);
      }
      for (const { from, heard } of callers) expect(heard).toEqual(alone(from, heard.length));
      expect(Math.max(...callers.flatMap(({ heard }) => heard))).toBeGreaterThan(0.9);
    }
  });

  it('has the rule of segments: thresholds, shortest speech and silence, padding', async () => {
    const { SpeechSegments } = await importExample('voice-activity/segments.mjs');
    const run = (probabilities: number[], samples = probabilities.length * 512) => {
      const speech = new SpeechSegments(16_000, 512);
      const events = probabilities.map((p) => speech.push(p)).concat(speech.end(samples));
      return { segments: positions(speech.segments), types: events.filter(Boolean).map(({ type }: any) => type) };
    };
    const frames = (count: number, p: number) => Array<number>(count).fill(p);
    const long = frames(20, 0.9);
    expect(run([])).toEqual({ segments: [], types: [] });
    expect(run([...frames(3, 0), ...long, ...frames(9, 0)])).toEqual({
      segments: [[3 * 512 - 480, 23 * 512 + 480]],
      types: ['start', 'end'],
    });
    // 0.35 .. 0.5 changes nothing; four frames of silence are shorter than 100 ms, 8 frames of speech than 250 ms
    expect(run([...long, ...frames(50, 0.4)]).segments).toEqual([[0, 70 * 512]]);
    expect(run([...long, ...frames(4, 0), ...long]).segments).toEqual([[0, 44 * 512]]);
    expect(run([...long, ...frames(5, 0), ...long]).segments).toHaveLength(2);
    expect(run([...frames(7, 0.9), ...frames(9, 0)])).toEqual({ segments: [], types: ['start', 'dropped'] });
    expect(run([...frames(8, 0.9), ...frames(9, 0)]).segments).toEqual([[0, 8 * 512 + 480]]);
    // speech that is open at the end ends with the recording
    expect(run(long, 10_000)).toEqual({ segments: [[0, 10_000]], types: ['start', 'end'] });
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
