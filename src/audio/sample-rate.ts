import { describe } from '../base/tensor.ts';
import type { Field } from './field.ts';

/** Reads the sample rate in Hz, under either name that files use; undefined if it is missing or null. */
export function readSampleRate(file: Field): number | undefined {
  const name = ['sample_rate', 'samplerate'].find((name) => file.has(name));
  if (name === undefined) return undefined;
  const { value } = file.get(name);
  if (value === null) return undefined;
  if (typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY) return value;
  return file.get(name).refuse('wrong-type', 'a rate in Hz', describe(value));
}
