import { ModelError, parseSafetensors } from '../../src/safetensors.ts';

/** The bits of an element of every type. */
export const TYPES = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** A safetensors file with the header as it is given: text, bytes or what is to be JSON. */
export function pack(header: unknown, data: ArrayLike<number> = []): Uint8Array<ArrayBuffer> {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = header instanceof Uint8Array ? header : new TextEncoder().encode(text);
  const file = new Uint8Array(8 + bytes.length + data.length);
  new DataView(file.buffer).setUint32(0, bytes.length, true);
  file.set(bytes, 8);
  file.set(data, 8 + bytes.length);
  return file;
}

/** An entry of the header. */
export function entry(dtype: string, shape: number[], begin: number, end: number) {
  return { dtype, shape, data_offsets: [begin, end] };
}

export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** What is wrong with a file. */
export function refusal(file: Uint8Array): ModelError {
  try {
    parseSafetensors(file);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('accepted');
}
