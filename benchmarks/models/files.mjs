/** Where a page finds the files of the repository. */
export const ROOT = '/repository/';

/**
 * A file of the repository, by its path from there: read, or in a page fetched.
 * @returns {Promise<Uint8Array>}
 */
export async function bytesOf(path) {
  if (globalThis.document) {
    const response = await fetch(ROOT + path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
  const { readFile } = await import('node:fs/promises');
  return new Uint8Array(await readFile(new URL(`../../${path}`, import.meta.url)));
}

/** The samples of a mono 16-bit recording, in -1 .. 1. */
export async function samplesOf(path) {
  const { buffer } = (await bytesOf(path)).slice(44);
  return Float32Array.from(new Int16Array(buffer), (sample) => sample / 32768);
}

export async function jsonOf(path) {
  return JSON.parse(new TextDecoder().decode(await bytesOf(path)));
}
