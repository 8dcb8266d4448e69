import { endScratch, floats, scratch } from '../memory/arena.ts';
import { columnCount, panelBytes, quantizedBytes } from '../memory/pack.ts';
import { wasm } from '../memory/wasm.ts';
import { Module, type ModuleOptions } from './module.ts';

/** Bytes of inputs, sums and outputs of the rows that go through the kernel at once. */
const CHUNK_BYTES = 1 << 18;

/** What Linear and Conv1d are: a matrix for each group of outputs, in panels, and a bias. */
export abstract class Affine extends Module {
  /** Of a group's matrix */
  readonly #rows: number;
  readonly #columns: number;
  readonly #groups: number;
  /** The weights of all groups, then their biases in whole panels, zeros without a bias */
  readonly #block: number;
  readonly #weightBytes: number;
  readonly #biasBytes: number;

  /** @param dims of the weight: all rows, and what makes the columns */
  constructor(who: string, options: ModuleOptions | undefined, dims: readonly number[], groups: number, bias: boolean) {
    super(who, options);
    this.#rows = dims[0]! / groups;
    this.#columns = columnCount(dims);
    this.#groups = groups;
    this.#weightBytes = panelBytes(this.#rows, this.#columns, this.form);
    this.#biasBytes = panelBytes(this.#rows, 1);
    this.#block = this.own(groups * (this.#weightBytes + this.#biasBytes));
    const place = { gates: 0, parts: groups };
    this.parameters.push({ name: 'weight', dims, pointer: this.#block, form: this.form, ...place });
    // a row an output, of one column: in the panels of its group
    const pointer = this.#block + groups * this.#weightBytes;
    if (bias) this.parameters.push({ name: 'bias', dims: [dims[0]!], pointer, ...place });
    this.start(options, this.#columns);
  }

  /**
   * The product of a group with `count` inputs, in chunks that stay in the cache: `read` writes inputs `first` .. `end` - 1 to
   * memory[x ...], and `write` finds their outputs in memory[y ...].
   */
  protected multiply(
    group: number,
    count: number,
    read: (memory: Float32Array, x: number, first: number, end: number) => void,
    write: (memory: Float32Array, y: number, first: number, end: number) => void,
  ): void {
    const zBytes = this.#biasBytes + quantizedBytes(this.#columns, this.form);
    const rowBytes = 4 * (this.#columns + this.#rows) + zBytes;
    const chunk = Math.min(count, Math.max(4, Math.floor(CHUNK_BYTES / rowBytes) & ~3));
    const z = scratch(chunk * rowBytes);
    const x = z + chunk * zBytes;
    const y = x + 4 * chunk * this.#columns;
    const weight = this.#block + group * this.#weightBytes;
    const bias = this.#block + this.#groups * this.#weightBytes + group * this.#biasBytes;
    const memory = floats();
    for (let first = 0; first < count; first += chunk) {
      const end = Math.min(first + chunk, count);
      read(memory, x / 4, first, end);
      wasm().linear(this.form, weight, bias, x, this.#columns, y, this.#rows, end - first, z);
      write(memory, y / 4, first, end);
    }
    endScratch();
  }
}
