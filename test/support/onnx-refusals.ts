import { expect } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import type { NodeSpec } from './onnx-files.ts';
import { refusal } from './refusals.ts';

export const floats = (...values: number[]) => Float32Array.from(values);

export const relu: NodeSpec = { op: 'Relu', inputs: ['x'] };
/** A small model, which tests change. */
export const valid = { nodes: [relu], inputs: { x: [2] } };

/** Loads what must be refused with this message, and code if given, and say where. */
export function refused(file: Uint8Array, message: RegExp, code?: string): void {
  const error = refusal(() => loadOnnx(file).dispose());
  expect(error.message).toMatch(message);
  expect(error.path).not.toBe('');
  if (code) expect(error.code).toBe(code);
}
