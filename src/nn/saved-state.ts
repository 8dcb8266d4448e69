import { crc32 } from '../base/crc32.ts';
import { ModelError } from '../base/errors.ts';
import { isView, wrongType } from '../base/tensor.ts';
import { classOf } from '../memory/cell-kind.ts';
import { readFloats, writeFloats } from '../memory/pack.ts';
import type { LSTMSizes } from '../memory/parameters.ts';

// A saved state, little-endian: "LSTS", then as 32-bit integers the version, twice the code of the kind of cell and 1 more for
// a class of one step, I, H, P and L;
// h [L][Ho] and c [L][H] as float32, in the order of the cell's states; the CRC-32 (IEEE 802.3) of all bytes before it.

const MAGIC = 0x5354534c;
const VERSION = 1;
const SIZES = ['inputSize', 'hiddenSize', 'projSize', 'numLayers'] as const;
/** The code of torch.nn.RNN with relu. */
const RELU = 7;
const FIELDS: readonly string[] = ['magic', 'version', 'cell'].concat(SIZES);

/** Writes the h and c at `pointer` as bytes. */
export function saveState(sizes: LSTMSizes, pointer: number): Uint8Array {
  return encodeState(headerOf(sizes), readFloats(pointer, sizes.stateCount));
}

function headerOf(sizes: LSTMSizes): number[] {
  return [MAGIC, VERSION, 2 * sizes.kind.code + Number(sizes.cell), ...SIZES.map((name) => sizes[name])];
}

/**
 * Copies the h and c in `bytes` to `pointer`.
 * @throws ModelError if the bytes are damaged, or not the state of a model of these sizes
 */
export function loadState(who: string, sizes: LSTMSizes, pointer: number, bytes: unknown): void {
  writeFloats(pointer, decodeState(who, FIELDS, headerOf(sizes), sizes.stateCount, bytes));
}

/** Writes 32-bit integers, a state, and the checksum of both. */
export function encodeState(header: readonly number[], state: Float32Array): Uint8Array {
  const words = new Uint32Array(header.length + state.length + 1);
  words.set(header);
  words.set(new Uint32Array(state.buffer, state.byteOffset, state.length), header.length);
  const bytes = new Uint8Array(words.buffer);
  words[words.length - 1] = crc32(bytes.subarray(0, -4));
  return bytes;
}

/** Names the class of a kind of cell, and where several have its name, how it differs; undefined if there is none. */
function nameOf(value: number): string | undefined {
  const code = value >>> 1;
  if (code > 3 && code !== RELU) return undefined;
  const name = classOf(4 - (code & 3), value & 1);
  return code === RELU ? `${name} with relu` : name;
}

/**
 * Reads what encodeState() wrote.
 * @param fields names of the header's integers, the first of which says what it is
 * @throws ModelError if the bytes are damaged, or their header is another
 */
export function decodeState(
  who: string,
  fields: readonly string[],
  header: readonly number[],
  count: number,
  bytes: unknown,
): Float32Array {
  if (!isView(bytes, Uint8Array)) throw wrongType(who, 'bytes', 'a Uint8Array', bytes);
  const check = (code: string, path: string, wanted: number, got: number): void => {
    if (wanted === got) return;
    const [expected, found] = [wanted, got].map((value) => (path === 'cell' && nameOf(value)) || value);
    const message = `${who}: saved state: ${path} expected ${expected}, got ${found}`;
    throw new ModelError(message, { code, path, expected, found });
  };
  // copied, to be aligned and of the right length; the length of `bytes` is checked below
  const words = new Uint32Array(header.length + count + 1);
  const copy = new Uint8Array(words.buffer);
  copy.set(bytes.subarray(0, copy.length));
  fields.forEach((field, i) => {
    check(i === 0 ? 'not-a-state' : 'wrong-model', field, header[i]! >>> 0, words[i]!);
  });
  check('wrong-length', 'length in bytes', copy.length, bytes.byteLength);
  check('damaged', 'checksum', crc32(copy.subarray(0, -4)), words[words.length - 1]!);
  return new Float32Array(copy.buffer).subarray(header.length, header.length + count);
}
