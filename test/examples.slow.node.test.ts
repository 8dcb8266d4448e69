// The programs of examples/, run as a user runs them: processes, their output and exit codes. They import the built package.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';

const { WaveFile } = wavefile;
const root = fileURLToPath(new URL('..', import.meta.url));

/** A copy of the examples, for this file to damage: in the repository, where `lstm-wasm` resolves to it. */
let folder: string;

beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'examples-'));
  cpSync(join(root, 'examples'), folder, { recursive: true, filter: (path) => !path.endsWith('output') });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, program), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const readBytes = (path: string) => readFileSync(join(folder, path));
const WORDS = 'word-segmentation/main.mjs';
const AMP = 'guitar-amp/main.mjs';
const GUITAR = 'guitar-amp/data/nam/guitar-48k.wav';

/** Floats of a file of little-endian float32. */
function readFloats(path: string): Float32Array {
  const bytes = readBytes(path);
  return Float32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(4 * n));
}

/** Writes a WAV file beside the programs. */
function wav(
  name: string,
  channels: number,
  sampleRate: number,
  bitDepth: string,
  samples: ArrayLike<number>[],
): string {
  const file = new WaveFile();
  file.fromScratch(channels, sampleRate, bitDepth, channels === 1 ? samples[0]! : samples);
  writeFileSync(join(folder, name), file.toBuffer());
  return name;
}

function readSamples(path: string): Float64Array {
  return new WaveFile(readBytes(path)).getSamples();
}

/** Runs `body` with a changed file, and puts the file back. */
function withChanged(path: string, change: (bytes: Buffer) => string | Uint8Array, body: () => void): void {
  const original = readBytes(path);
  writeFileSync(join(folder, path), change(Buffer.from(original)));
  try {
    body();
  } finally {
    writeFileSync(join(folder, path), original);
  }
}

describe('run.mjs', () => {
  it('runs every example and finds the published answers', () => {
    const { status, stdout, stderr } = run('run.mjs');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('34 lines, 1,253 characters');
    expect(stdout).toContain('โดย | ที่ | การ | ยอม | รับ | นับ | ถือ | เกียรติศักดิ์ | ประจำ | ตัว\n');
    expect(stdout).toContain('ok: 34 of 34 lines as published');
    expect(stdout).toContain('72,000 samples, 1.5 s, mono, 16 bits');
    expect(stdout).toMatch(/ [\d,]+ times faster than real time\n/);
    expect(stdout).toContain('ok: 6 segments as published');
    expect(stdout).toMatch(/segmental SNR 2\.\d -> 9\.\d dB/);
    expect(stdout.match(/^ {2}check {3}ok: /gm)).toHaveLength(5);
    expect(stdout).not.toContain('WRONG');
    // one screen
    const lines = stdout.split('\n');
    expect(lines.length).toBeLessThanOrEqual(41);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(120);
    for (const name of ['voice-activity/output/mixed.svg', 'denoise/output/austen.svg']) {
      expect(stdout).toContain(name);
      expect(readBytes(name).toString()).toMatch(/^<svg /);
    }
  });

  it('exits with 1 if any answer differs from the published one', () => {
    const swapWords = (bytes: Buffer) => {
      const expected = JSON.parse(bytes.toString());
      expected.lines[7].words.reverse();
      return JSON.stringify(expected);
    };
    const moveProbability = (bytes: Buffer) => {
      const expected = JSON.parse(bytes.toString());
      expected.lines.at(-1).probabilities[2][1] += 3e-5;
      return JSON.stringify(expected);
    };
    const moveSample = (bytes: Buffer) => {
      bytes.writeFloatLE(bytes.readFloatLE(4 * 71_999) + 3e-6, 4 * 71_999);
      return bytes;
    };
    const changes: [path: string, change: (bytes: Buffer) => string | Uint8Array][] = [
      ['word-segmentation/data/thai-model5.expected.json', swapWords],
      ['word-segmentation/data/thai-model5.expected.json', moveProbability],
      ['guitar-amp/data/nam/lstm.expected.f32', moveSample],
      ['guitar-amp/data/nam/lstm.expected.f32', (bytes) => bytes.subarray(4)],
      [
        'guitar-amp/data/rtneural/lstm_torch_y_python.csv',
        (bytes) => bytes.toString().replace('-1.950293', '-1.950393'),
      ],
      ['guitar-amp/data/rtneural/lstm_torch_y_python.csv', (bytes) => bytes.toString().replace('-1.950293', 'nan')],
    ];
    for (const [path, change] of changes) {
      withChanged(path, change, () => {
        const { status, stdout } = run(path.startsWith('guitar') ? AMP : WORDS);
        expect(stdout.match(/^ {2}check {3}WRONG: /gm), path).toHaveLength(1);
        expect(status, path).toBe(1);
      });
    }
    for (const [path, change] of [changes[0]!, changes[2]!]) {
      withChanged(path, change, () => {
        const { status, stdout } = run('run.mjs');
        expect(stdout.match(/^ {2}check {3}ok: /gm), path).toHaveLength(4);
        expect(stdout, path).toContain('\nA check is WRONG.\n');
        expect(status, path).toBe(1);
      });
    }
  });
});

describe('word-segmentation', () => {
  it('prints the words of a text', () => {
    const { status, stdout, stderr } = run(WORDS, 'และสิทธิเท่าเทียมกัน');
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'และ | สิทธิ | เท่า | เทียม | กัน\n', stderr: '' });
  });

  it('gives every text in a batch the words it has alone, also an empty one', () => {
    const texts = ['คำปรารภ', '', 'สมาชิก'];
    const { status, stdout } = run(WORDS, ...texts);
    expect(status).toBe(0);
    expect(stdout).toBe('คำ | ปรารภ\n\nสมา | ชิก\n');
    expect(texts.map((text) => run(WORDS, text).stdout).join('')).toBe(stdout);
    expect(run(WORDS, '')).toEqual({ status: 0, stdout: '\n', stderr: '' });
  });

  it('takes a code point for one character, and loses none', () => {
    const text = '😀😀คำ𝔸ปรารภ e\u0301';
    const { status, stdout } = run(WORDS, text);
    expect(status).toBe(0);
    expect(stdout.trimEnd().split(' | ').join('')).toBe(text);
    // Two unknown characters in place of two: had each been two UTF-16 units, the words would not be as before.
    expect(stdout).toBe(run(WORDS, text.replace('𝔸', '\u0d05')).stdout.replace('\u0d05', '𝔸'));
  });
});

describe('guitar-amp', () => {
  it('writes what it computed, with nothing lost', () => {
    expect(run(AMP).status).toBe(0);
    const samples = readSamples('guitar-amp/output/guitar-48k-amp.wav');
    const expected = readFloats('guitar-amp/data/nam/lstm.expected.f32');
    expect(samples).toHaveLength(72_000);
    const worst = samples.reduce((max, y, n) => Math.max(max, Math.abs(y - expected[n]!)), 0);
    expect(worst).toBeLessThanOrEqual(1e-6);
    expect(new WaveFile(readBytes('guitar-amp/output/guitar-48k-amp.wav'))).toMatchObject({
      bitDepth: '32f',
      fmt: { numChannels: 1, sampleRate: 48_000 },
    });
  });

  it('gives the same samples for any number format, and for the first of two channels', () => {
    const short = readSamples(GUITAR).slice(0, 600);
    const other = short.map((v) => -v);
    const scaled = (factor: number) => short.map((v) => v * factor);
    wav('16.wav', 1, 48_000, '16', [short]);
    wav('stereo.wav', 2, 48_000, '16', [short, other]);
    wav('24.wav', 1, 48_000, '24', [scaled(2 ** 8)]);
    wav('32.wav', 1, 48_000, '32', [scaled(2 ** 16)]);
    wav('32f.wav', 1, 48_000, '32f', [scaled(2 ** -15)]);
    wav('64.wav', 1, 48_000, '64', [scaled(2 ** -15)]);
    // For three channels wavefile writes a header with a subformat. As WAVE_FORMAT_EXTENSIBLE with subformat 3: floats.
    const bits = new Int32Array(Float32Array.from(scaled(2 ** -15)).buffer);
    const extensible = readBytes(wav('extensible.wav', 3, 48_000, '32', [bits, bits, bits]));
    extensible.writeUInt16LE(0xfffe, 20);
    extensible.writeUInt32LE(3, 44);
    writeFileSync(join(folder, 'extensible.wav'), extensible);
    const channels: Record<string, string> = { stereo: 'first of 2 channels', extensible: 'first of 3 channels' };
    const outputs = ['16', 'stereo', '24', '32', '32f', '64', 'extensible'].map((name) => {
      const { status, stdout, stderr } = run(AMP, `${name}.wav`, `${name}-out.wav`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain(`result  ${name}-out.wav\n`);
      expect(stdout).toContain(channels[name] ?? 'mono');
      return readSamples(`${name}-out.wav`);
    });
    expect(outputs[0]).toHaveLength(600);
    for (const output of outputs) expect(output).toEqual(outputs[0]);
    const expected = readFloats('guitar-amp/data/nam/lstm.expected.f32');
    for (const [n, y] of outputs[0]!.entries()) expect(Math.abs(y - expected[n]!)).toBeLessThanOrEqual(1e-6);
  });

  it('writes beside itself if no output is named', () => {
    wav('mine.take1.wav', 1, 48_000, '8', [new Uint8Array(100).fill(140)]);
    expect(run(AMP, 'mine.take1.wav').status).toBe(0);
    expect(readSamples('guitar-amp/output/mine.take1-amp.wav')).toHaveLength(100);
  });

  it('refuses in one line what it cannot play', () => {
    const good = readBytes(GUITAR).subarray(0, 44 + 400);
    good.writeUInt32LE(400, 40);
    const save = (name: string, bytes: Uint8Array | string) => {
      writeFileSync(join(folder, name), bytes);
      return name;
    };
    const patched = (name: string, at: number, value: number) => {
      const bytes = Buffer.from(good);
      bytes.writeUInt16LE(value, at);
      return save(name, bytes);
    };
    const floats = (name: string, ...values: number[]) => wav(name, 1, 48_000, '32f', [Float32Array.from(values)]);
    const refused: [path: string, message: string | RegExp][] = [
      ['nowhere.wav', 'ENOENT'],
      ['guitar-amp', 'EISDIR'],
      [save('empty.wav', ''), 'does not begin with RIFF and WAVE'],
      [save('text.wav', 'RIFFRAFF, no WAVE'), 'does not begin with RIFF and WAVE'],
      [save('header.wav', good.subarray(0, 36)), 'it has no "data" chunk'],
      [save('cut.wav', good.subarray(0, 300)), 'its "data" chunk should have 400 bytes, 144 are missing'],
      [wav('slow.wav', 1, 44_100, '16', [new Int16Array(8)]), 'expected a sample rate of 48000 Hz, got 44100 Hz'],
      [wav('none.wav', 1, 48_000, '16', [new Int16Array(0)]), 'it has no samples'],
      [wav('a-law.wav', 1, 48_000, '8a', [new Uint8Array(8)]), 'got format 6'],
      [patched('mpeg.wav', 20, 0x55), 'got format 85'],
      [patched('channels.wav', 22, 0), 'it has no samples'],
      [patched('bits.wav', 34, 0), 'error: bits.wav: '],
      [patched('bits7.wav', 34, 7), 'error: bits7.wav: '],
      [floats('nan.wav', 0, 0.5, Number.NaN), 'sample 2 is NaN'],
      [floats('infinite.wav', Number.NEGATIVE_INFINITY), 'sample 0 is -Infinity'],
    ];
    for (const [path, message] of refused) {
      const { status, stdout, stderr } = run(AMP, path, 'refused.wav');
      expect(stderr, path).toMatch(/^error: .*\n$/);
      expect(stderr, path).toContain(message);
      expect(stdout, path).toBe('');
      expect(status, path).toBe(2);
    }
    expect(() => readBytes('refused.wav')).toThrow('ENOENT');
  });

  it('reads past other chunks, damaged ones too', () => {
    const good = readBytes(GUITAR).subarray(0, 44 + 400);
    good.writeUInt32LE(400, 40);
    // A list of odd length, and a cue table that declares four billion points
    const list = Buffer.from('LIST\x05\0\0\0INFOx\0', 'latin1');
    const cue = Buffer.from('cue \x04\0\0\0\xff\xff\xff\xff', 'latin1');
    writeFileSync(join(folder, 'good.wav'), good);
    writeFileSync(join(folder, 'odd.wav'), Buffer.concat([good.subarray(0, 36), list, cue, good.subarray(36), cue]));
    expect(run(AMP, 'good.wav', 'good-out.wav').status).toBe(0);
    expect(run(AMP, 'odd.wav', 'odd-out.wav')).toMatchObject({ status: 0, stderr: '' });
    expect(readBytes('odd-out.wav')).toEqual(readBytes('good-out.wav'));
  });

  it('says so in one line if the output cannot be written', () => {
    const { status, stderr } = run(AMP, GUITAR, 'no-such-folder/out.wav');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: no-such-folder\/out.wav: ENOENT.*\n$/);
  });
});

describe('wrong usage', () => {
  const wrong: [program: string, ...args: string[]][] = [
    ['run.mjs', 'extra'],
    ['run.mjs', '--fast'],
    [WORDS, '--fast', 'คำ'],
    [AMP, '--fast'],
    [AMP, '-x'],
    [AMP, 'a.wav', 'b.wav', 'c.wav'],
    [AMP, '--help=1'],
  ];
  it.each(wrong)('%s %s is an error in one line, exit code 2', (program, ...args) => {
    const { status, stdout, stderr } = run(program, ...args);
    expect(stderr).toMatch(/^error: .+\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it.each(['run.mjs', WORDS, AMP])('%s --help prints how to use it', (program) => {
    const { status, stdout, stderr } = run(program, '--help');
    expect(stdout).toMatch(/^usage: node examples\//);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(run(program, '-h').stdout).toBe(stdout);
  });
});
