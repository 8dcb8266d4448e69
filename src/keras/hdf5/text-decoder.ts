import { decodeUtf8, findInvalidUtf8 } from '../../files/utf8.ts';

/**
 * Stands in for TextDecoder in jsfive, which needs it as soon as it is imported, while AudioWorklets lack it: the build puts it
 * in place. Bytes that are not UTF-8 are taken as Latin-1.
 */
export class TextDecoder {
  decode(source: ArrayBuffer | Uint8Array | undefined): string {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source ?? []);
    if (findInvalidUtf8(bytes) < 0) return decodeUtf8(bytes);
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}
