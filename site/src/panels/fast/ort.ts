/** The part of onnxruntime-web that is used here. */
export interface Ort {
  readonly env: { readonly versions: { readonly web?: string }; readonly wasm: OrtFlags; logLevel?: string };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => OrtTensor;
}
interface OrtFlags {
  numThreads?: number;
  wasmPaths?: string | { wasm?: string };
}
export interface OrtTensor {
  readonly data: Float32Array;
}
interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

export const WASM = 'ort-wasm-simd-threaded.wasm';

/** @param base the site's folder that has onnxruntime-web's files */
export async function loadOrt(base: string): Promise<Ort> {
  const ort: Ort = await import(/* @vite-ignore */ `${base}ort.wasm.bundle.min.mjs`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: base + WASM };
  ort.env.logLevel = 'error';
  return ort;
}

export const ORT_OPTIONS = { executionProviders: ['wasm'], graphOptimizationLevel: 'all', executionMode: 'sequential' };
