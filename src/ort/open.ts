import { describe } from '../base/tensor.ts';

/** The part of `process` in Node, Deno and Bun by which files are read: an import of node:fs would break pages. */
interface FileReader {
  getBuiltinModule?(name: 'fs'): { promises: { readFile(path: string | URL): Promise<Uint8Array> } } | undefined;
}

/**
 * Reads the file at an address that the caller gives: fetched, or in Node, Deno and Bun opened if it is a path or `file:` URL.
 * @throws Error with the cause
 */
export async function open(uri: string): Promise<Uint8Array> {
  // a letter alone is a drive of Windows
  const scheme = uri.match(/^([a-z][a-z0-9+.-]+):/i)?.[1]?.toLowerCase();
  const { process } = globalThis as { process?: FileReader };
  const fs = scheme === undefined || scheme === 'file' ? process?.getBuiltinModule?.('fs') : undefined;
  try {
    return await (fs ? fs.promises.readFile(scheme ? new URL(uri) : uri) : download(uri));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = fs ? `be opened (${why})` : `be fetched here (${why}); of a file that is only a path, give the bytes`;
    throw new Error(`InferenceSession.create: ${describe(uri)} cannot ${text}`, { cause });
  }
}

async function download(uri: string): Promise<Uint8Array> {
  const response = await fetch(uri);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
