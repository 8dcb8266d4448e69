import { checkOptions, wrongNumber, wrongType } from './base/tensor.ts';
import { type KernelOptions, useKernels } from './cells/kernels.ts';
import { checkFile } from './files/bytes.ts';
import { explainRefusal } from './files/what-file.ts';
import { type ExternalData, ExternalFiles } from './onnx/external.ts';
import type { OnnxModel } from './onnx/model.ts';
import { readModel } from './onnx/read-model.ts';
import { createSession, type OnnxSession } from './onnx/session.ts';

export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { AnyTypedArray, TensorLike } from './base/tensor.ts';
export type { KernelOptions } from './cells/kernels.ts';
export type { ValueData, ValueType } from './graph/types.ts';
export type { WasmModule } from './memory/wasm.ts';
export type { LSTMState } from './nn/state.ts';
export type { DirectionTrace, LayerTrace } from './nn/trace.ts';
export type { ExternalData } from './onnx/external.ts';
export type { OnnxFeed, OnnxFeeds, OnnxPort } from './onnx/feeds.ts';
export type {
  OnnxAttribute,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxReference,
  OnnxValueInfo,
} from './onnx/model.ts';
export type { OnnxResult, RunOptions } from './onnx/results.ts';
export type { OnnxSession, OnnxTrace } from './onnx/session.ts';
export type { OnnxStream, OnnxStreamOptions } from './onnx/stream.ts';
export type { OnnxData, OnnxTensor } from './onnx/tensor.ts';
export type { LSTMReport } from './operators/lstm-report.ts';

/** Options of parseOnnx(). */
export interface ParseOnnxOptions {
  /**
   * The files beside the model in which its weights lie, by the names that it gives them: `{ 'model.onnx.data': bytes }`.
   * torch.onnx.export writes one unless `external_data` is False.
   */
  readonly externalData?: ExternalData | undefined;
}

/** Options of loadOnnx(). */
export interface OnnxOptions extends KernelOptions, ParseOnnxOptions {
  /**
   * The names of the outputs to make ready. Nodes and inputs that only other outputs need are left out, and may be of operators
   * that are not supported. Default: all outputs.
   */
  readonly outputs?: readonly string[] | undefined;
  /**
   * Bits of a weight; only 8. Constant matrices of LSTM, MatMul, Gemm and Conv then have 8-bit weights, as quantize() of LSTM and
   * Linear makes them: a quarter of the memory, faster where weights or multiplications limit, and less exact; docs/formats/onnx.md
   * lists what stays float32. Default: all weights stay float32.
   */
  readonly quantize?: 8 | undefined;
}

/** Kinds of files whose errors tell more than that they are such files. */
const OWN = ['an ONNX model', 'an empty file'];

/**
 * Reads an ONNX file (https://onnx.ai/onnx/repo-docs/IR.html) without making it ready to run: the graph with its nodes,
 * initializers, inputs, outputs and subgraphs, operators that loadOnnx() does not support included. A tensor stays in the file
 * until its data are read, and `bytes` must not change until then. Takes at most 3 times the size of the file in memory, and
 * some megabytes.
 * @param bytes the file
 * @throws ModelError that names the place where the file breaks the format's rules, or has its data in a file that is not given
 * @throws TypeError if `bytes` is not a Uint8Array or ArrayBuffer, or is shared or detached, or an option is wrong
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: await (await fetch('model.onnx')).arrayBuffer()
 * import { parseOnnx } from 'lstm-wasm/onnx';
 *
 * const { graph, opsets } = parseOnnx(readFileSync('model.onnx'));
 * console.log(opsets.get('')); // 14
 * console.log(graph.nodes.map(({ opType }) => opType)); // [ 'LSTM' ]
 * console.log(graph.initializers.get('W')?.dims); // [ 1, 32, 6 ]
 * ```
 */
export function parseOnnx(bytes: Uint8Array | ArrayBuffer, options?: ParseOnnxOptions): OnnxModel {
  checkOptions('parseOnnx', options, ['externalData']);
  const file = checkFile('parseOnnx', bytes);
  const external = new ExternalFiles('parseOnnx', options?.externalData);
  return explainRefusal('onnx', file, OWN, () => readModel(file, external));
}

/**
 * Makes a model ready to run: computes everything that is constant and packs the weights once. docs/formats/onnx.md lists the
 * supported operators, which https://onnx.ai/onnx/operators/ defines; float16, bfloat16 and float64 are computed in float32.
 * `bytes` may be changed or dropped afterwards.
 * @param bytes the file
 * @throws ModelError that names the place where the file is damaged; or one that lists every unsupported operator with its nodes;
 *   or one that names the node, if a weight to quantize is NaN or infinite
 * @throws TypeError if `bytes` is not a Uint8Array or ArrayBuffer, or is shared or detached, or an option is wrong; RangeError if
 *   `quantize` is another number than 8
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: await (await fetch('model.onnx')).arrayBuffer()
 * import { loadOnnx } from 'lstm-wasm/onnx';
 *
 * const model = loadOnnx(readFileSync('model.onnx'));
 * console.log(model.inputs); // [ { name: 'X', type: 'float32', dims: [ 7, 3, 6 ] } ]
 * const { Y_h } = model.run({ X: { data: new Float32Array(7 * 3 * 6), dims: [7, 3, 6] } });
 * console.log(Y_h.dims); // [ 1, 3, 8 ]
 * model.dispose(); // or leave it to the garbage collector
 * ```
 */
export function loadOnnx(bytes: Uint8Array | ArrayBuffer, options?: OnnxOptions): OnnxSession {
  useKernels('loadOnnx', options, ['externalData', 'outputs', 'quantize']);
  const outputs = readNames('loadOnnx', options?.outputs);
  const bits: unknown = options?.quantize;
  if (bits !== undefined && bits !== 8) throw wrongNumber('loadOnnx', 'quantize', '8', bits);
  const file = checkFile('loadOnnx', bytes);
  const external = new ExternalFiles('loadOnnx', options?.externalData);
  return explainRefusal('onnx', file, OWN, () => createSession(file, external, outputs, bits === 8));
}

/** Copies a list of names; undefined if it is left out. */
function readNames(who: string, names: readonly string[] | undefined): string[] | undefined {
  if (names === undefined) return undefined;
  const list: unknown[] | undefined = Array.isArray(names) ? [...names] : undefined;
  if (!list?.length || !list.every((name) => typeof name === 'string')) {
    throw wrongType(who, 'outputs', 'an array of at least one name', names);
  }
  return list;
}
