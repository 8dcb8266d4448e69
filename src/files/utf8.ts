/** Finds where the first ill-formed sequence starts (The Unicode Standard, table 3-7); -1 if there is none. */
export function findInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return at;
    const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + size > bytes.length) return at;
    const second = bytes[at + 1]!;
    if (second < (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80)) return at;
    if (second > (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf)) return at;
    for (let i = 2; i < size; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return at;
    at += size;
  }
  return -1;
}

/** Encodes a string; a lone surrogate as if it were a character. AudioWorklets have no TextEncoder. */
export function encodeUtf8(text: string): Uint8Array {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const size = utf8Size(text.codePointAt(i)!);
    length += size;
    if (size === 4) i++;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    const size = utf8Size(code);
    bytes[at++] = size === 1 ? code : LEADS[size]! | (code >> (6 * (size - 1)));
    for (let rest = size - 2; rest >= 0; rest--) bytes[at++] = 0x80 | ((code >> (6 * rest)) & 0x3f);
    if (size === 4) i++;
  }
  return bytes;
}

/** Upper bits of a sequence's first byte, by the size of the sequence. */
const LEADS = [0, 0, 0xc0, 0xe0, 0xf0];

function utf8Size(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** Decodes well-formed UTF-8. AudioWorklets have no TextDecoder. */
export function decodeUtf8(bytes: Uint8Array): string {
  const short = bytes.length <= 4096 && bytes.every((byte) => byte < 0x80);
  if (short) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  const units = new Uint16Array(Math.min(bytes.length, 4096));
  let text = '';
  let used = 0;
  for (let at = 0; at < bytes.length; ) {
    if (used > units.length - 2) {
      text += String.fromCharCode.apply(null, units.subarray(0, used) as unknown as number[]);
      used = 0;
    }
    const lead = bytes[at++]!;
    if (lead < 0x80) {
      units[used++] = lead;
      continue;
    }
    let code = lead < 0xe0 ? lead & 0x1f : lead < 0xf0 ? lead & 0x0f : lead & 0x07;
    for (let size = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3; size > 0; size--) code = (code << 6) | (bytes[at++]! & 0x3f);
    if (code < 0x10000) {
      units[used++] = code;
    } else {
      units[used++] = 0xd7c0 + (code >> 10);
      units[used++] = 0xdc00 | (code & 0x3ff);
    }
  }
  return text + String.fromCharCode.apply(null, units.subarray(0, used) as unknown as number[]);
}
