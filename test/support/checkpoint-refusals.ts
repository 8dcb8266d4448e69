import { expect } from 'vitest';
import { type ModelError, parseCheckpoint } from '../../src/pytorch.ts';
import { checkpoint, dict, type Entry, pickle, tensor, text } from './checkpoint-files.ts';
import { refusal as refusalOf } from './refusals.ts';

/** A small checkpoint, and the entry of it that is the pickle: tests change them. */
export const valid = checkpoint(pickle(dict([text('w'), tensor()])));
export const PICKLE: Entry = { name: 'archive/data.pkl', data: pickle(dict([text('w'), tensor()])) };

export function refusal(file: Uint8Array, key?: string | readonly string[]): ModelError {
  const error = refusalOf(() => parseCheckpoint(file, { key }));
  expect(error.message).toMatch(/^pytorch: [^\n\0]{1,600}$/);
  return error;
}

export const codeOf = (file: Uint8Array, key?: string | readonly string[]) => refusal(file, key).code;
