let table: Int32Array | undefined;

/** Computes the CRC-32 of IEEE 802.3, the checksum of zip entries and saved states. */
export function crc32(bytes: Uint8Array): number {
  table ??= new Int32Array(256).map((_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    return crc;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
