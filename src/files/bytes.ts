import { tag, wrongType } from '../base/tensor.ts';

/**
 * Checks a file that a caller gave and returns its bytes, not copied.
 * @param what the name that the caller has for it
 * @throws TypeError unless it is a Uint8Array or ArrayBuffer, neither shared nor detached
 */
export function checkFile(who: string, bytes: unknown, what = 'bytes'): Uint8Array<ArrayBuffer> {
  const isBytes = ArrayBuffer.isView(bytes) ? tag(bytes) === 'Uint8Array' : tag(bytes) === 'ArrayBuffer';
  const file = isBytes ? bytesOf(bytes as Uint8Array | ArrayBuffer) : undefined;
  if (!file) {
    const how =
      typeof bytes === 'string'
        ? ' of the file, so read it first: nothing is opened here'
        : ', not shared and not detached';
    throw wrongType(who, what, `a Uint8Array or an ArrayBuffer${how}`, bytes);
  }
  return file;
}

/** Views the bytes under a view or buffer of any realm; undefined if they are shared or detached. */
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
