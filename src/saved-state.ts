import { ModelError } from './errors.ts';
import { type LSTMSizes, outputSize } from './parameters.ts';
import { tag, wrongType } from './tensor.ts';

// A saved state, little-endian: "LSTS", then as 32-bit integers the version, whether the model is a cell, I, H, P and L;
// h [L][Ho] and c [L][H] as float32; the CRC-32 (IEEE 802.3) of all bytes before it.

const MAGIC = 0x5354534c;
const VERSION = 1;
const FIELDS = ['magic', 'version', 'cell', 'inputSize', 'hiddenSize', 'projSize', 'numLayers'] as const;

function header(sizes: LSTMSizes, cell: boolean): readonly number[] {
  return [MAGIC, VERSION, cell ? 1 : 0, sizes.inputSize, sizes.hiddenSize, sizes.projSize, sizes.numLayers];
}

/** `state`: h, then c. */
export function encodeState(sizes: LSTMSizes, cell: boolean, state: Float32Array): Uint8Array<ArrayBuffer> {
  const fields = header(sizes, cell);
  const bytes = new Uint8Array(4 * (fields.length + state.length + 1));
  const view = new DataView(bytes.buffer);
  fields.forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  bytes.set(new Uint8Array(state.buffer, state.byteOffset, state.byteLength), 4 * fields.length);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)), true);
  return bytes;
}

/**
 * The h and c in `bytes`, in memory of their own.
 * @throws ModelError if the bytes are not a state of a model of these sizes, or damaged
 */
export function decodeState(who: string, sizes: LSTMSizes, cell: boolean, bytes: unknown): Float32Array {
  if (!ArrayBuffer.isView(bytes) || tag(bytes) !== 'Uint8Array') throw wrongType(who, 'bytes', 'a Uint8Array', bytes);
  const input = bytes as Uint8Array;
  const fail = (code: string, path: string, expected: unknown, found: unknown): ModelError =>
    new ModelError(`${who}: saved state: ${path} expected ${expected}, got ${found}`, { code, path, expected, found });
  const fields = header(sizes, cell);
  const start = 4 * fields.length;
  if (input.length < start) throw fail('truncated', 'length', `at least ${start} bytes`, input.length);
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  fields.forEach((expected, i) => {
    const found = view.getUint32(4 * i, true);
    if (found !== expected) throw fail(i === 0 ? 'not-a-state' : 'wrong-model', FIELDS[i]!, expected, found);
  });
  const count = sizes.numLayers * (outputSize(sizes) + sizes.hiddenSize);
  const length = start + 4 * count + 4;
  if (input.length !== length) throw fail('wrong-length', 'length', `${length} bytes`, input.length);
  const expected = crc32(input.subarray(0, length - 4));
  const found = view.getUint32(length - 4, true);
  if (found !== expected) throw fail('damaged', 'checksum', expected, found);
  return new Float32Array(input.slice(start, length - 4).buffer);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
