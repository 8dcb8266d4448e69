import { CliError } from '../errors.ts';
import type { AnyValue } from '../model.ts';
import { readCsv } from './csv.ts';
import { readJsonValues } from './json.ts';
import { isNpy, readNpy } from './npy.ts';
import { isWav, readWav } from './wav.ts';

/** The contents of a file of inputs. */
export interface Values {
  /** By the names of inputs; '' for the one that has none. */
  readonly values: ReadonlyMap<string, AnyValue>;
  readonly sampleRate?: number;
}

/** Reads the bytes of a file of inputs, whose content tells its format. @throws CliError */
export function parseValues(bytes: Uint8Array): Values {
  if (bytes.length === 0) throw new CliError('it is empty');
  if (isNpy(bytes)) return { values: new Map([['', readNpy(bytes)]]) };
  if (isWav(bytes)) {
    const sound = readWav(bytes);
    return { values: new Map([['', sound]]), sampleRate: sound.sampleRate };
  }
  const text = decode(bytes);
  return { values: /^\s*[[{]/.test(text.slice(0, 4096)) ? readJsonValues(text) : new Map([['', readCsv(text)]]) };
}

function decode(bytes: Uint8Array): string {
  const isBinary = bytes.subarray(0, 4096).includes(0);
  try {
    if (!isBinary) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // said below
  }
  throw new CliError('expected .npy, .csv, .json or .wav, and it is none of them');
}
