import { embeddedOnnx } from '../cells/embedded.ts';
import { decode } from '../memory/compile.ts';

// A file of its own, which a page loads if a model needs it.

/** Compiles lstm-onnx.wasm. */
export function compileMore(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decode(embeddedOnnx));
}
