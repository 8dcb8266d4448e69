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

/**
 * Decodes the text of an embedded module, as scripts/embed.mjs writes it. From '.' (46) on a character is a byte, '2' (50) being 0;
 * '(' to '-' add 40, 80, ... 240 to the next one. Bytes wrap at 256.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let shift = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 46) {
      shift = 40 * (code - 39);
    } else {
      bytes[length++] = code - 50 + shift;
      shift = 0;
    }
  }
  return bytes.subarray(0, length);
}
