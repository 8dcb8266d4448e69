import { refuseCall } from '../errors.ts';
import type { AnyValue } from '../model.ts';
import { writeCsv } from './csv.ts';
import { writeJsonValues } from './json.ts';
import { writeNpy } from './npy.ts';
import { writeWav } from './write-wav.ts';

/** The samples a second of a WAV file where nothing says more. */
const RATE = 48_000;

export const FORMATS = ['npy', 'csv', 'json', 'wav'] as const;
export type Format = (typeof FORMATS)[number];

/** Tells the format of an output by its ending; that of standard output is csv. */
export function formatOf(path: string): Format {
  if (path === '-') return 'csv';
  const ending = path.match(/\.([^./\\]+)$/)?.[1]?.toLowerCase();
  const found = FORMATS.find((format) => format === ending);
  return found ?? refuseCall(`--output has to end with .npy, .csv, .json or .wav, got ${JSON.stringify(path)}`);
}

/** Writes results in a format; JSON has all of them, the others the one that is named. */
export function writeValues(
  format: Format,
  values: Readonly<Record<string, AnyValue>>,
  name: string,
  sampleRate: number | undefined,
): Uint8Array | string {
  const value = values[name]!;
  switch (format) {
    case 'npy':
      return writeNpy(value);
    case 'csv':
      return writeCsv(value);
    case 'json':
      return writeJsonValues(values);
    case 'wav':
      return writeWav(value, sampleRate ?? RATE);
  }
}
