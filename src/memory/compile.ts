import { embedded, embeddedInt8 } from './embedded.ts';

/**
 * Compiles lstm.wasm.
 * @throws Error that names the feature that the engine lacks or forbids
 */
export function compile(): WebAssembly.Module {
  const bytes = decode(embedded);
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    let reason = 'WebAssembly is needed, which this engine lacks';
    if (typeof WebAssembly === 'object') {
      reason = WebAssembly.validate(bytes)
        ? 'compiling bytes is forbidden here: pass the compiled lstm-wasm/lstm.wasm to initialize()'
        : 'WebAssembly SIMD is needed, which this engine lacks';
    }
    throw new Error(`lstm-wasm: ${reason}`, { cause });
  }
}

/** Compiles lstm-int8.wasm. */
export function compileInt8(): WebAssembly.Module {
  return new WebAssembly.Module(decode(embeddedInt8));
}

/** Decodes hexadecimal word by word with parseInt(); a loop over characters takes 5 ms longer at start. */
export function decode(hex: string): Uint8Array<ArrayBuffer> {
  const length = hex.length / 2;
  const view = new DataView(new ArrayBuffer(length + 3));
  for (let i = 0; i < length; i += 4) view.setUint32(i, parseInt(hex.slice(2 * i, 2 * i + 8).padEnd(8, '0'), 16));
  return new Uint8Array(view.buffer, 0, length);
}
