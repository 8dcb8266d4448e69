/**
 * Compiles the embedded copy of a module.
 * @param lines what a program has to write where the engine compiles no bytes
 * @throws Error that names the feature that the engine lacks or forbids; RangeError without memory
 */
export function compile(text: string, lines: string): WebAssembly.Module {
  const bytes = decode(text);
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    let reason = 'WebAssembly is needed, which this engine lacks';
    if (typeof WebAssembly === 'object') {
      reason = WebAssembly.validate(bytes)
        ? `compiling bytes is forbidden here: write ${lines};`
        : 'WebAssembly SIMD is needed, which this engine lacks';
    }
    throw refusal(cause, reason);
  }
}

/** Tells whether the engine compiles bytes: no edge runtime does, and no page whose policy forbids it. */
export function canCompile(): boolean {
  try {
    // the head of a module, without sections
    return Boolean(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  } catch {
    return false;
  }
}

/** Gives the exports of an instance. @throws Error or RangeError that tells what to do where a policy or memory forbids it */
export function instantiate(module: WebAssembly.Module, env?: WebAssembly.ModuleImports): unknown {
  try {
    return new WebAssembly.Instance(module, env && { env }).exports;
  } catch (cause) {
    throw refusal(cause);
  }
}

/**
 * The error for what an engine throws, in its own words: under a policy WebKit refuses the instance and others the module.
 * @param reason for other causes; without it they are thrown as they are
 */
function refusal(cause: unknown, reason?: string): unknown {
  const words = String(cause);
  if (/out of memory/i.test(words)) return new RangeError('lstm-wasm: no address space for WebAssembly', { cause });
  if (/CSP|policy|unsafe/i.test(words)) reason = "Content-Security-Policy: add 'wasm-unsafe-eval' to script-src";
  return reason ? new Error(`lstm-wasm: ${reason}`, { cause }) : cause;
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
