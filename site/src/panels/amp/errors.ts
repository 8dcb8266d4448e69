/** What visitors read of an error: what is missing in the browser, and what to do, in place of the words of the package. */
export function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/SIMD/.test(text)) {
    return 'This browser has no WebAssembly SIMD, which lstm-wasm needs: Chrome 91, Firefox 89, Safari 16.4 or later.';
  }
  if (/AudioWorklet/.test(text) || typeof AudioWorkletNode === 'undefined') {
    return 'This page has no AudioWorklet, in which the amp plays: open it from https: or localhost, in a browser of this decade.';
  }
  return text.replace(/^LstmNode: /, '');
}
