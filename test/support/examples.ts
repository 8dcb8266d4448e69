// Programs of examples/, run as a user runs them: processes of their own, which import the built package.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import wavefile from 'wavefile';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A module of examples/, which is JavaScript. */
export const importExample = (path: string): Promise<any> => import(/* @vite-ignore */ join(root, 'examples', path));

/** A folder of the repository for files that a test makes; programs run in it. */
export class ExampleFolder {
  readonly path: string;

  constructor(name: string) {
    mkdirSync(join(root, 'build'), { recursive: true });
    this.path = mkdtempSync(join(root, 'build', `${name}-`));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Runs a program of examples/; `input` goes to its stdin. */
  run(program: string, args: string[], input: Uint8Array | string = '') {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'examples', program), ...args], {
      cwd: this.path,
      encoding: 'utf8',
      input,
      maxBuffer: 1 << 26,
    });
    return { status, stdout, stderr };
  }

  /** Expects exit code 0 and no errors. @returns what the program printed */
  expectOk(program: string, args: string[], input: Uint8Array | string = ''): string {
    const { status, stdout, stderr } = this.run(program, args, input);
    expect({ status, stderr }, args.join(' ')).toEqual({ status: 0, stderr: '' });
    return stdout;
  }

  write(name: string, bytes: Uint8Array | string): string {
    writeFileSync(join(this.path, name), bytes);
    return name;
  }

  /** Writes a WAV file; values are in the unit of the bit depth. */
  wav(name: string, sampleRate: number, bitDepth: string, channels: ArrayLike<number>[]): string {
    const file = new wavefile.WaveFile();
    file.fromScratch(channels.length, sampleRate, bitDepth, channels.length === 1 ? channels[0]! : channels);
    return this.write(name, file.toBuffer());
  }

  /** Expects an error in one line, nothing else, and exit code 2. */
  expectRefused(program: string, args: string[], message: string | RegExp, input: Uint8Array | string = ''): void {
    const { status, stdout, stderr } = this.run(program, args, input);
    const what = args.join(' ');
    expect(stderr, what).toMatch(/^error: .+\n$/);
    expect(stderr, what).toMatch(message);
    expect({ status, stdout }, what).toEqual({ status: 2, stdout: '' });
  }
}

/** Names of files that are no WAV file, or no usable one, with what the error says. Written to the folder. */
export function badWavs(folder: ExampleFolder): [path: string, message: RegExp][] {
  const good = folder.wav('good.wav', 16_000, '16', [new Int16Array(2000).fill(100)]);
  const file = new wavefile.WaveFile();
  file.fromScratch(1, 16_000, '16', new Int16Array(2000).fill(100));
  const bytes = Buffer.from(file.toBuffer());
  const patched = (name: string, at: number, value: number) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt32LE(value, at);
    return folder.write(name, changed);
  };
  expect(good).toBe('good.wav');
  return [
    ['nowhere.wav', /ENOENT/],
    ['.', /EISDIR/],
    [folder.write('empty.wav', ''), /does not begin with RIFF and WAVE/],
    [folder.write('text.wav', 'no sound, only words'), /does not begin with RIFF and WAVE/],
    [folder.write('header.wav', bytes.subarray(0, 36)), /it has no "data" chunk/],
    [folder.write('cut.wav', bytes.subarray(0, 1000)), /its "data" chunk should have 4000 bytes, 3044 are missing/],
    [folder.wav('none.wav', 16_000, '16', [new Int16Array(0)]), /it has no samples/],
    [folder.wav('a-law.wav', 16_000, '8a', [new Uint8Array(8)]), /got format 6/],
    [folder.wav('nan.wav', 16_000, '32f', [Float32Array.of(0, 0.5, Number.NaN)]), /sample 2 is NaN/],
    [patched('rate-0.wav', 24, 0), /sample rate is 0/],
    [patched('slow.wav', 24, 7), /expected a sample rate of 1000 to 384000 Hz, got 7 Hz/],
  ];
}
