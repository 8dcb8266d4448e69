// A function that gives a vector of zeros: (module (func (result v128) v128.const i32x4 0 0 0 0))
const MODULE = [
  [0, 97, 115, 109, 1, 0, 0, 0],
  [1, 5, 1, 96, 0, 1, 123],
  [3, 2, 1, 0],
  [10, 22, 1, 20, 0, 253, 12, ...new Array<number>(16).fill(0), 11],
].flat();

/** Why lstm-wasm cannot run here, as a sentence for visitors; undefined if it can. */
export function whyNot(): string | undefined {
  try {
    if (WebAssembly.validate(Uint8Array.from(MODULE))) return undefined;
  } catch {}
  return 'This browser has no WebAssembly SIMD, which lstm-wasm needs: Chrome 91, Firefox 89, Safari 16.4 and later have it.';
}

/** Whether the visitor asked browsers to load little. */
export function savesData(): boolean {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  return connection?.saveData === true || matchMedia('(prefers-reduced-data: reduce)').matches;
}
