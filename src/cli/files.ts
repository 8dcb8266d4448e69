import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { about, CliError, messageOf, refusal, refuseCall } from './errors.ts';
import { formatBytes } from './text.ts';

// Files by their paths. A path in an argument is the person's own; a name in a model reaches only what is in the model's folder.

/**
 * Bytes of a file, of a pipe or another stream, or of standard input for `-`.
 * @param most bytes of a stream, which may have no end
 */
export function readBytes(path: string, most = LONGEST): Uint8Array<ArrayBuffer> {
  return about(path, () => {
    if (path !== '-' && isFile(path)) {
      filesRead.add(identify(path)!);
      const bytes = readFileSync(path);
      return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
    }
    const stream = path === '-' ? 0 : openSync(path, 'r');
    try {
      return readStream(stream, most);
    } finally {
      if (path !== '-') closeSync(stream);
    }
  });
}

/** The bytes of a file that Node reads at once. */
const LONGEST = 2 ** 31 - 1;

function readStream(stream: number, most: number): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = new Uint8Array(1 << 20);
    const count = readSome(stream, piece);
    if (count === 0) break;
    length += count;
    if (length > most) throw new CliError(`it goes on after ${formatBytes(most)}, the most that is read of a stream`);
    // a pipe gives 64 KB at a time
    pieces.push(2 * count < piece.length ? piece.slice(0, count) : piece.subarray(0, count));
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Reads what there is, and waits for it where a stream that another program made does not. */
function readSome(stream: number, piece: Uint8Array): number {
  for (;;) {
    try {
      return readSync(stream, piece);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** Tells whether a path is a file, which can be read at any place and more than once; a pipe or `-` cannot. */
export function isFile(path: string): boolean {
  return path !== '-' && about(path, () => statSync(path).isFile());
}

/** Reads the first bytes of a file without the rest. */
export function readStart(path: string, most: number): Uint8Array {
  return about(path, () => {
    const file = openSync(path, 'r');
    filesRead.add(identify(path)!);
    try {
      const bytes = new Uint8Array(most);
      return bytes.subarray(0, readSync(file, bytes, 0, most, 0));
    } finally {
      closeSync(file);
    }
  });
}

/** The size of a file; a stream has none. */
export function sizeOf(path: string): number | undefined {
  return isFile(path) ? about(path, () => statSync(path).size) : undefined;
}

export function isFolder(path: string): boolean {
  return path !== '-' && about(path, () => statSync(path).isDirectory());
}

/**
 * Reads a file that a model names, which has to be in the model's folder: no absolute path, no way out of it, and no link that leads
 * out.
 * @throws CliError
 */
export function readBeside(model: string, name: string): Uint8Array<ArrayBuffer> {
  if (model === '-') throw refusal(model, `it needs the file ${JSON.stringify(name)} beside it, so give its path`);
  const folder = dirname(model);
  const parts = name.split('/');
  const isPlain = !isAbsolute(name) && !/[\\\0]|%2e|^[a-z]:/i.test(name) && !parts.includes('..') && name !== '';
  if (!isPlain)
    throw refusal(model, `it names the file ${JSON.stringify(name)}, which is not in its folder: not opened`);
  const path = join(folder, ...parts);
  return about(model, () => {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      throw refusal(model, `it needs the file ${JSON.stringify(name)}, which is not beside it`);
    }
    const inside = relative(realpathSync(folder), realpathSync(path));
    if (isAbsolute(inside) || inside.split(sep)[0] === '..') {
      throw refusal(
        model,
        `${JSON.stringify(name)} is a link out of the model's folder, which is not followed: copy the file`,
      );
    }
    return readBytes(path);
  });
}

/** Device and inode of each file that was read. */
const filesRead = new Set<string>();

/** Refuses to write over a file that this call has read, by whatever name: it would be lost. @throws CliError */
export function refuseOver(output: string): void {
  const place = output === '-' ? undefined : about(output, () => identify(output));
  if (place !== undefined && filesRead.has(place))
    refuseCall(`${JSON.stringify(output)} is a file that is read: give the output another name`);
}

function identify(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found?.isFile() ? `${found.dev} ${found.ino}` : undefined;
}

/** The most bytes that are written at once: a signal is heard in between. */
const PIECE = 1 << 24;

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Writes a file, or standard output for `-`. The file appears whole or not at all: it is written beside its place and renamed. What is
 * no file, such as a pipe, is written to directly.
 * @throws CliError
 */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  if (path === '-') {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(data, (error) => (error ? reject(outputError(error)) : resolve()));
    });
    return;
  }
  await about(path, async () => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found && !found.isFile()) writeFileSync(path, data);
    else await replaceFile(found ? realpathSync(path) : path, data, found?.mode);
  });
}

/** Makes the error for standard output; a reader that has seen enough, such as head, closes the pipe and ends the program with 0. */
export function outputError(error: Error): CliError {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0);
  return new CliError(`standard output: ${messageOf(error)}`);
}

async function replaceFile(path: string, data: Uint8Array, mode?: number): Promise<void> {
  // a number of the process is one of many where containers share a folder
  const temporary = join(dirname(path), `.${basename(path).slice(0, 60)}.${randomUUID()}.tmp`);
  // only now: with a listener, a signal is not heard while something is computed
  const stop = (signal: keyof typeof SIGNALS) => {
    rmSync(temporary, { force: true });
    process.exit(128 + SIGNALS[signal]);
  };
  const signals = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  for (const signal of signals) process.on(signal, stop);
  try {
    const file = openSync(temporary, 'wx');
    try {
      if (mode !== undefined) chmodSync(temporary, mode & 0o7777);
      for (let at = 0; at < data.length; ) {
        at += writeSync(file, data, at, Math.min(PIECE, data.length - at));
        await new Promise(setImmediate);
      }
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
