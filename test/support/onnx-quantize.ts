import type { TensorLike } from '../../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxOptions, type OnnxResult } from '../../src/onnx.ts';
import { type GraphSpec, onnxFile, tensorProto } from './onnx-files.ts';
import { uniforms } from './random.ts';

export const INT8: OnnxOptions = { quantize: 8 };

/** Numbers between -1 and 1. */
export function tensor(seed: number, ...dims: number[]): TensorLike {
  const next = uniforms(seed);
  return { data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1), dims };
}
export const initializer = (name: string, { data, dims }: TensorLike) => tensorProto(name, dims, data as Float32Array);

/** Runs a model once. */
export function runGraph(
  graph: GraphSpec,
  feeds: Readonly<Record<string, OnnxFeed>>,
  options?: OnnxOptions,
): Record<string, OnnxResult> {
  const session = loadOnnx(onnxFile(graph), options);
  try {
    return session.run(feeds);
  } finally {
    session.dispose();
  }
}

export const largest = (values: Iterable<number>) =>
  [...values].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
