/** Converts IEEE 754 binary16 to float32: exact, subnormals and NaN payloads included. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) {
    const sign = (halves[i]! & 0x8000) << 16;
    const rest = halves[i]! & 0x7fff;
    if (rest < 0x0400) {
      floats[i] = rest * 2 ** -24;
      bits[i]! |= sign;
    } else {
      const bias = rest < 0x7c00 ? 127 - 15 : 255 - 31;
      bits[i] = sign | ((rest << 13) + (bias << 23));
    }
  }
  return floats;
}

/** Converts bfloat16, the upper half of a float32, to float32: exact. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}
