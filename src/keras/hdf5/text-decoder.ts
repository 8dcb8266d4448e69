import { decodeUtf8, findInvalidUtf8 } from '../../files/utf8.ts';

/**
 * What jsfive uses of TextDecoder, which AudioWorklets lack and which it needs as soon as it is imported: the build gives it this
 * one. Bytes that are not UTF-8 are taken as Latin-1.
 */
export class TextDecoder {
  decode(source: ArrayBuffer | Uint8Array | undefined): string {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source ?? []);
    if (findInvalidUtf8(bytes) < 0) return decodeUtf8(bytes);
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}
