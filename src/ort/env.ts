/** What programs set before they create a session. All of it is accepted, none has an effect: there is nothing to configure. */
export interface Env {
  logLevel?: 'verbose' | 'info' | 'warning' | 'error' | 'fatal';
  debug?: boolean;
  trace?: boolean;
  readonly wasm: {
    numThreads?: number;
    simd?: boolean | 'fixed' | 'relaxed';
    proxy?: boolean;
    initTimeout?: number;
    wasmPaths?: string | { wasm?: URL | string; mjs?: URL | string };
    wasmBinary?: ArrayBufferLike | Uint8Array;
    [name: string]: unknown;
  };
  readonly webgl: { [name: string]: unknown };
  readonly webgpu: { [name: string]: unknown };
  /** The version of onnxruntime-web whose API is followed. */
  readonly versions: { readonly common: string; readonly web: string };
  [name: string]: unknown;
}

const API = '1.30.0';

export const env: Env = {
  logLevel: 'warning',
  wasm: {},
  webgl: {},
  webgpu: {},
  versions: { common: API, web: API },
};
