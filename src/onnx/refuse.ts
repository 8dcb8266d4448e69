import { ModelError } from '../base/errors.ts';

/** Throws what is wrong with an ONNX model. */
export function refuse(code: string, path: string, text: string, expected: unknown, found: unknown): never {
  throw new ModelError(`onnx: ${path}: ${text}`, { code, path, expected, found });
}
