import { checkOptions } from './base/tensor.ts';
import { checkFile } from './files/bytes.ts';
import { useKernels } from './onnx/kernels.ts';
import { type OnnxModel, readModel } from './onnx/model.ts';
import { createSession, type OnnxSession } from './onnx/session.ts';

export { ModelError } from './base/errors.ts';
export type { LSTMReport } from './onnx/lstm-report.ts';
export type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxValueInfo } from './onnx/model.ts';
export type { OnnxFeed, OnnxFeeds, OnnxPort, OnnxResult, OnnxSession } from './onnx/session.ts';
export type { OnnxData, OnnxTensor } from './onnx/tensor.ts';

export interface OnnxOptions {
  /** The compiled `lstm-wasm/lstm-onnx.wasm`, where a runtime forbids compiling bytes; initialize() takes lstm.wasm. */
  readonly kernels?: WebAssembly.Module | undefined;
}

/**
 * Reads an ONNX file: the graph with its nodes, initializers, inputs, outputs and subgraphs. Tensors stay in the file until
 * their data are asked for; `bytes` must not change until then. What it takes is at most 3 times the size of the file and some
 * megabytes.
 *
 * https://github.com/onnx/onnx/blob/main/docs/IR.md
 * @throws ModelError where the file breaks the format's rules, or has its data in another file
 * @throws TypeError if `bytes` is no Uint8Array or ArrayBuffer, or shared or detached
 */
export function parseOnnx(bytes: Uint8Array | ArrayBuffer): OnnxModel {
  return readModel(checkFile('parseOnnx', bytes));
}

/**
 * Makes a model ready to run: all that is constant is computed, weights are packed once. The operators that are supported are
 * in docs/formats/onnx.md; float16, bfloat16 and float64 are computed in float32. `bytes` are not needed afterwards.
 * @throws ModelError where the file is damaged, or one that lists every operator that is not supported with its nodes
 * @throws TypeError if `bytes` is no Uint8Array or ArrayBuffer, or shared or detached, or an option is wrong
 */
export function loadOnnx(bytes: Uint8Array | ArrayBuffer, options?: OnnxOptions): OnnxSession {
  checkOptions('loadOnnx', options, ['kernels']);
  if (options?.kernels !== undefined) useKernels(options.kernels);
  return createSession(checkFile('loadOnnx', bytes));
}
