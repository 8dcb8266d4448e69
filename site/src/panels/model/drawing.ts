import type { Described, Gates, Heard, Ran } from './types.ts';

// The built-in example as it stands before anything is loaded: what a run gave when the page was built, rounded to what can be seen.
// A JSON text with its length in front, then per unit and step f (16 bits), i, g and o (8 bits) and c (a float of 16 bits), each in
// a block of its own, then the answers (floats of 32 bits) and the picture of what went in.

export interface Drawing {
  readonly described: Described;
  readonly ran: Ran;
  readonly gates: Gates;
}

type Meta = Omit<Drawing, 'gates' | 'ran'> & {
  readonly ran: Omit<Ran, 'said' | 'heard'> & {
    readonly said: { readonly name: string; readonly count: number };
    readonly heard: Omit<Heard, 'data'>;
  };
  readonly gates: { readonly key: string; readonly count: number; readonly hidden: number };
};

/** Bytes of a unit at a step. */
const UNIT = 7;

/** @param drawing of an LSTM without a projection, with one answer a step */
export function pack({ described, ran, gates }: Drawing): Uint8Array<ArrayBuffer> {
  const { said, heard, ...rest } = ran;
  const { data, ...picture } = heard;
  const { key, count, hidden } = gates;
  const meta: Meta = {
    described,
    ran: { ...rest, said: { name: said!.name, count: said!.count }, heard: picture },
    gates: { key, count, hidden },
  };
  const text = new TextEncoder().encode(JSON.stringify(meta));
  const cells = count * hidden;
  const bytes = new Uint8Array(4 + text.length + cells * UNIT + 4 * said!.count + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, text.length, true);
  bytes.set(text, 4);
  let at = 4 + text.length;
  for (let n = 0; n < cells; n++, at += 2) view.setUint16(at, Math.round(65_535 * gates.f[n]!), true);
  for (let n = 0; n < cells; n++, at += 1) view.setUint8(at, Math.round(255 * gates.i[n]!));
  for (let n = 0; n < cells; n++, at += 1) view.setInt8(at, Math.round(127 * gates.g[n]!));
  for (let n = 0; n < cells; n++, at += 1) view.setUint8(at, Math.round(255 * gates.o[n]!));
  for (let n = 0; n < cells; n++, at += 2) view.setUint16(at, toHalf(gates.c[n]!), true);
  for (let n = 0; n < said!.count; n++, at += 4) view.setFloat32(at, said!.data[n]!, true);
  bytes.set(data, at);
  return bytes;
}

export function unpack(bytes: Uint8Array): Drawing {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(0, true);
  const { described, ran, gates }: Meta = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const { count, hidden } = gates;
  const cells = count * hidden;
  let at = 4 + length;
  const read = (size: number, value: (at: number) => number) => {
    const start = at;
    at += cells * size;
    return Float32Array.from({ length: cells }, (_, n) => value(start + n * size));
  };
  const f = read(2, (place) => view.getUint16(place, true) / 65_535);
  const i = read(1, (place) => view.getUint8(place) / 255);
  const g = read(1, (place) => view.getInt8(place) / 127);
  const o = read(1, (place) => view.getUint8(place) / 255);
  const c = read(2, (place) => fromHalf(view.getUint16(place, true)));
  const h = c.map((value, n) => o[n]! * Math.tanh(value));
  const start = at;
  const said = Float32Array.from({ length: ran.said.count }, (_, n) => view.getFloat32(start + 4 * n, true));
  at += 4 * said.length;
  return {
    described,
    ran: { ...ran, said: { ...ran.said, data: said, width: 1 }, heard: { ...ran.heard, data: bytes.slice(at) } },
    gates: { ...{ i, f, g, o, c, h }, ...gates, out: hidden, reverse: false, isPlain: true },
  };
}

/** A number as a float of 16 bits, rounded to nearest; what is larger than 65,504 is that. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.min(65_504, Math.abs(value));
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // a fraction that is rounded up to the next power of two carries into the exponent
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}

export function fromHalf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}
