import { ModelError } from '../base/errors.ts';
import { describe } from '../base/tensor.ts';
import type { SentError } from './messages.ts';

/** Makes of whatever was thrown what a message can hold. */
export function sendError(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: describe(thrown) };
  const { name, message } = thrown;
  if (!(thrown instanceof ModelError)) return { name, message };
  const { code, path, expected, found } = thrown;
  return { name, message, code, path, expected: plain(expected), found: plain(found) };
}

function plain(value: unknown): unknown {
  return Object(value) === value ? describe(value) : value;
}

const CLASSES = { TypeError, RangeError } as const;

/** Makes the error again that a message holds. */
export function receiveError({ name, message, code = '', path = '', expected, found }: SentError): Error {
  if (name === 'ModelError') return new ModelError(message, { code, path, expected, found });
  const error = new (CLASSES[name as keyof typeof CLASSES] ?? Error)(message);
  if (error.name !== name) error.name = name;
  return error;
}
