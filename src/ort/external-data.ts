import { describe, wrongType } from '../base/tensor.ts';
import { bytesOf } from '../files/bytes.ts';
import type { ExternalData } from '../onnx.ts';

/** A file beside the model: the name that the model gives it, and its bytes. */
export interface ExternalDataFileDescription {
  /** The name in the model, as 'model.onnx.data'. */
  readonly path: string;
  /** The file: bytes. Addresses are refused: fetch them first. */
  readonly data: Uint8Array | ArrayBuffer;
}

/**
 * Reads onnxruntime-web's option `externalData`.
 * @throws TypeError that names what is wrong
 */
export function readExternalData(who: string, list: unknown): ExternalData | undefined {
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) throw wrongType(who, 'externalData', 'an array of { path, data }', list);
  const files = new Map<string, Uint8Array>();
  for (const [i, file] of list.entries()) {
    const what = `externalData[${i}]`;
    if (typeof file === 'string') throw refuseAddress(who, what, file);
    if (file === null || typeof file !== 'object') throw wrongType(who, what, 'an object { path, data }', file);
    const { path, data } = file as { path: unknown; data: unknown };
    if (typeof path !== 'string') throw wrongType(who, `${what}.path`, 'a string', path);
    if (typeof data === 'string') throw refuseAddress(who, `${what}.data`, data);
    const isBytes = ArrayBuffer.isView(data) || Object.prototype.toString.call(data) === '[object ArrayBuffer]';
    const bytes = isBytes ? bytesOf(data as Uint8Array) : undefined;
    if (!bytes)
      throw wrongType(who, `${what}.data`, 'a Uint8Array or an ArrayBuffer, not shared and not detached', data);
    files.set(path, bytes);
  }
  return files;
}

function refuseAddress(who: string, what: string, address: string): TypeError {
  const text = `expected { path, data } with the bytes as data, got the address ${describe(address)}: fetch it first`;
  return new TypeError(`${who}: "${what}" ${text}`);
}
