import { describe } from '../base/tensor.ts';
import type { Field } from './field.ts';

/** Names that files have for the sample rate. */
const NAMES = ['sample_rate', 'samplerate'];

/** Matches a rate as text: digits, with a fraction. */
const DECIMAL = /^\d{1,15}(\.\d{1,15})?$/;

/**
 * Reads the sample rate in Hz, under either name that files use; undefined if it is missing or null.
 * @param text whether digits in a string are a rate too, as AIDA-X writes it, and '' is none
 */
export function readSampleRate(file: Field, text = false): number | undefined {
  const name = NAMES.find((name) => file.has(name));
  if (name === undefined) return undefined;
  const { value } = file.get(name);
  if (value === null || (text && value === '')) return undefined;
  const rate = text && typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof rate === 'number' && rate > 0 && rate < Number.POSITIVE_INFINITY) return rate;
  return file.get(name).refuse('wrong-type', 'a rate in Hz', describe(value));
}
