/** Bytes that a model may hold beside three times its weights as float32: docs/formats/keras.md, "Limits". */
const FREE_BYTES = 4 << 20;
/** Bytes counted for the objects of a module in linear memory; an LSTM has three times as many. */
const MODULE_BYTES = 1024;

/** Counts what a model holds. Where a layout of kernels would be too much, a layer keeps its weights as they were read. */
export class Holding {
  /** The number of weights that were read. */
  weights = 0;
  #held = 0;

  /** Counts weights that were read: they are kept, or until packs() counts them anew. */
  count(values: readonly Float32Array[]): void {
    for (const { length, byteLength } of values) {
      this.weights += length;
      this.#held += byteLength;
    }
  }

  /**
   * Counts weights in layouts of kernels in place of the `read` bytes of them, if there is room.
   * @param bytes in linear memory
   * @param modules that hold them
   * @returns whether there was
   */
  packs(bytes: number, modules: number, read: number): boolean {
    const held = this.#held + bytes + modules * MODULE_BYTES - read;
    if (!(held <= 12 * this.weights + FREE_BYTES)) return false;
    this.#held = held;
    return true;
  }
}
