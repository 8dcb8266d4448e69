/** A `URL`. TypeScript knows that name only with lib `dom` or the types of a platform. */
export interface UrlLike {
  /** The address. */
  readonly href: string;
}

/**
 * The settings of onnxruntime-web (https://onnxruntime.ai/docs/api/js/interfaces/Env.html), which programs change before they
 * create a session. Every setting is accepted and none has an effect: there is nothing to configure.
 */
export interface Env {
  /** Ignored: nothing is logged. */
  logLevel?: 'verbose' | 'info' | 'warning' | 'error' | 'fatal';
  /** Ignored. */
  debug?: boolean;
  /** Ignored. */
  trace?: boolean;
  /** Ignored: no file is fetched, and there is one thread. */
  readonly wasm: {
    numThreads?: number;
    simd?: boolean | 'fixed' | 'relaxed';
    proxy?: boolean;
    initTimeout?: number;
    wasmPaths?: string | { wasm?: UrlLike | string; mjs?: UrlLike | string };
    wasmBinary?: ArrayBufferLike | Uint8Array;
    [name: string]: unknown;
  };
  /** Ignored: models run on the CPU. */
  readonly webgl: { [name: string]: unknown };
  /** Ignored: models run on the CPU. */
  readonly webgpu: { [name: string]: unknown };
  /** The version of onnxruntime-web whose API this module follows. */
  readonly versions: { readonly common: string; readonly web: string };
  [name: string]: unknown;
}

const API = '1.30.0';

/**
 * Takes the settings of programs written for onnxruntime-web; none has an effect.
 * @example
 * ```js
 * import { env } from 'lstm-wasm/ort';
 *
 * env.wasm.wasmPaths = '/static/'; // accepted and ignored: nothing is fetched
 * console.log(env.versions.web); // 1.30.0
 * ```
 */
export const env: Env = {
  logLevel: 'warning',
  wasm: {},
  webgl: {},
  webgpu: {},
  versions: { common: API, web: API },
};
