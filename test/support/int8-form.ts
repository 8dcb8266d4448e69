import { I8 } from '../../src/memory/abi.ts';
import { decode } from '../../src/memory/compile.ts';
import { embeddedInt8 } from '../../src/memory/embedded.ts';
import { int8Form } from '../../src/memory/int8.ts';
import { type InitializeOptions, initialize } from '../../src/memory/wasm.ts';

/**
 * The form of 8-bit products that this thread takes: 'plain' or 'relaxed'. It chooses once, so each file has one call. Whether the
 * engine emulates relaxed SIMD is said in its place, since no machine does both.
 */
export function chosenForm(options: InitializeOptions | undefined, isEmulated: boolean): string {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      if (!('is_emulated' in this.exports)) return;
      const exports = { ...this.exports, is_emulated: () => Number(isEmulated) };
      Object.defineProperty(this, 'exports', { value: exports });
    }
  };
  try {
    initialize(undefined, options);
    return int8Form() === I8 ? 'plain' : 'relaxed';
  } finally {
    WebAssembly.Instance = Instance;
  }
}

/** The module with another instruction in place of each relaxed product: v128.bitselect, its number in as many bytes. */
export function withOtherIntegers(): WebAssembly.Module {
  const latin1 = String.fromCharCode(...decode(embeddedInt8));
  const parts = latin1.split('\xfd\x93\x02');
  if (parts.length === 1) throw new Error('lstm-int8.wasm has no relaxed product');
  const bytes = parts.join('\xfd\xd2\0');
  return new WebAssembly.Module(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}
