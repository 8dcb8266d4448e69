import { embeddedGRU } from '../gru/embedded.ts';
import { decode } from '../memory/compile.ts';

// A file of its own, which a page loads if a model needs it.

/** Compiles lstm-gru.wasm. */
export function compileGRU(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decode(embeddedGRU));
}
