/** Reads little-endian numbers of a file, each at a byte offset. */
export class LittleEndian {
  readonly file: Uint8Array;
  readonly #view: DataView;

  constructor(file: Uint8Array) {
    this.file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** Rounds numbers beyond 2^53, which are larger than any file. */
  u64(at: number): number {
    return this.u32(at) + 2 ** 32 * this.u32(at + 4);
  }
}
