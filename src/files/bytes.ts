import { tag, wrongType } from '../base/tensor.ts';

/**
 * A file that a caller gave.
 * @throws TypeError if it is no Uint8Array or ArrayBuffer, or shared or detached
 */
export function checkFile(who: string, bytes: unknown): Uint8Array<ArrayBuffer> {
  const isBytes = ArrayBuffer.isView(bytes) ? tag(bytes) === 'Uint8Array' : tag(bytes) === 'ArrayBuffer';
  const file = isBytes ? bytesOf(bytes as Uint8Array | ArrayBuffer) : undefined;
  if (!file) throw wrongType(who, 'bytes', 'a Uint8Array or an ArrayBuffer, not shared and not detached', bytes);
  return file;
}

/** The memory under a view or buffer of any realm; undefined if it is shared or detached. */
export function bytesOf(source: ArrayBufferView | ArrayBuffer): Uint8Array<ArrayBuffer> | undefined {
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(source)
    ? source
    : { buffer: source, byteOffset: 0, byteLength: source.byteLength };
  if (tag(buffer) !== 'ArrayBuffer') return undefined;
  try {
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  } catch {
    return undefined;
  }
}
