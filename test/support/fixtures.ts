/** The bytes of a file below test/fixtures, in Node from disk, in a browser from the test server. */
export async function readFixture(path: string): Promise<Uint8Array> {
  if (typeof window !== 'undefined') {
    const response = await fetch(`/test/fixtures/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
  const fs = 'node:fs/promises';
  const { readFile } = await import(/* @vite-ignore */ fs);
  return new Uint8Array(await readFile(new URL(`../fixtures/${path}`, import.meta.url)));
}

export async function readJson(path: string): Promise<any> {
  return JSON.parse(new TextDecoder().decode(await readFixture(path)));
}
