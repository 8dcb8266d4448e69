import { env } from './ort/env.ts';
import { InferenceSession } from './ort/session.ts';
import { Tensor } from './ort/tensor.ts';

export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { OnnxFeed, ValueData, WasmModule } from './onnx.ts';
export type { Env, UrlLike } from './ort/env.ts';
export type { ExternalDataFileDescription } from './ort/external-data.ts';
export type { InferenceSessionFactory } from './ort/session.ts';
export type { OnnxValue, TensorConstructor, TypedTensor } from './ort/tensor.ts';
export { env, InferenceSession, Tensor };

/**
 * Holds `env`, `InferenceSession` and `Tensor`, for programs that import onnxruntime-web's default.
 * @example
 * ```js
 * import ort from 'lstm-wasm/ort';
 *
 * console.log(Object.keys(ort)); // [ 'env', 'InferenceSession', 'Tensor' ]
 * ```
 */
export default { env, InferenceSession, Tensor };
