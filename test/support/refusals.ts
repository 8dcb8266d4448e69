import { expect } from 'vitest';
import { bytesUsed, ModelError } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { soon } from './work.ts';

/** What a call throws. */
export function thrownBy(call: () => unknown, what = 'the call'): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: nothing was thrown`);
}

/** What a call is refused with: a ModelError of one line, soon, that leaves nothing behind. */
export function refusal(call: () => unknown, what?: string): ModelError {
  const before = bytesUsed();
  const error = soon(() => thrownBy(call, what), what);
  if (!(error instanceof ModelError)) expect(error, what).toBeInstanceOf(ModelError);
  expect(bytesUsed(), what).toBe(before);
  const { message } = error as ModelError;
  if (!/^[^\n\0]{1,3000}$/.test(message)) expect(message, what).toBe('one line');
  return error as ModelError;
}

export type ErrorClass = typeof TypeError | typeof RangeError;

/** Runs `call`, which must throw such an error, soon and without taking memory; '…' in a message stands for anything. */
export function expectRefusal(call: () => unknown, error: ErrorClass, message: string): void {
  const before = [bytesUsed(), wasm().memory.buffer.byteLength];
  const thrown = soon(() => thrownBy(call));
  expect(thrown).toBeInstanceOf(error);
  expect((thrown as Error).message).toMatch(messageLike(message));
  expect([bytesUsed(), wasm().memory.buffer.byteLength]).toEqual(before);
}

function messageLike(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
