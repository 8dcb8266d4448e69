import { type Refuse, refuseAs } from '../base/errors.ts';
import { describe } from '../base/tensor.ts';
import type { Refusal } from '../operators/value.ts';

// Each refusal of a model begins with its place in the file: `onnx: node "sum" (Add): ...`.

const refuseOnnx: Refuse = /* @__PURE__ */ refuseAs('onnx');

/** Refuses a model: `onnx: path: what expected X, got Y`. An empty `what` stands for the thing at `path` itself. */
export function refuse(code: string, path: string, what: string, expected: unknown, found: unknown): never {
  return refuseOnnx(code, path, what ? `${path}: ${what}` : `${path}:`, expected, found);
}

/** Refuses a model: `onnx: path: reason`, where `expected` and `found` alone do not tell what is wrong. */
export function refuseBecause(code: string, path: string, reason: string, expected: unknown, found: unknown): never {
  return refuseOnnx.because(code, path, `${path}: ${reason}`, expected, found);
}

/** How operators refuse a node. */
export const onnxRefusal: Refusal = { refuse, because: refuseBecause };

/** Refuses a file that lacks something, or has it empty. */
export function refuseMissing(path: string, expected: string, found: unknown = undefined): never {
  return refuseBecause('missing', path, `expected ${expected}, got none`, expected, found);
}

/** Refuses the second `thing` of the same name. */
export function refuseTwice(path: string, thing: string, name: string): never {
  return refuseBecause('repeated', path, `expected each ${thing} once, got ${describe(name)} twice`, 1, 2);
}

/** Refuses the second `thing` where one is all that may be. */
export function refuseSecond(path: string, thing: string): never {
  return refuseBecause('repeated', path, `expected one ${thing}, got two`, 1, 2);
}
