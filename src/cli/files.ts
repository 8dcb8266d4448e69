import {
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
import { about, refusal } from './errors.ts';

// Files by their paths. A path in an argument is the person's own; a name in a model reaches only what is in the model's folder.

/** Bytes of a file, or of standard input for `-`. */
export function readBytes(path: string): Uint8Array<ArrayBuffer> {
  return about(path, () => {
    const bytes = readFileSync(path === '-' ? 0 : path);
    return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  });
}

/** Reads the first bytes of a file without the rest. */
export function readStart(path: string, most: number): Uint8Array {
  return about(path, () => {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(most);
      return bytes.subarray(0, readSync(file, bytes, 0, most, 0));
    } finally {
      closeSync(file);
    }
  });
}

export function sizeOf(path: string): number {
  return about(path, () => statSync(path).size);
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
      process.stdout.write(data, (error) => (error ? reject(error) : resolve()));
    });
    return;
  }
  await about(path, async () => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found && !found.isFile()) writeFileSync(path, data);
    else await replaceFile(found ? realpathSync(path) : path, data);
  });
}

async function replaceFile(path: string, data: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 60)}.${process.pid}.tmp`);
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
