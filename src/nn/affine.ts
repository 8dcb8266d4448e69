import { endScratch, floats, scratch } from '../memory/arena.ts';
import { columnCount, PANEL_BYTES, panelBytes, panelCount, quantizedBytes } from '../memory/pack.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { Module, type ModuleOptions } from './module.ts';

/** Bytes of inputs, sums and outputs of the rows that go through the kernel at once. */
const CHUNK_BYTES = 1 << 18;

/** What Linear and Conv1d are: a matrix for each group of outputs, in panels, and a bias. */
export abstract class Affine extends Module {
  /** Of a group's matrix */
  private readonly _rows: number;
  private readonly _columns: number;
  private readonly _groups: number;
  /** The weights of all groups, then their biases in whole panels, zeros without a bias */
  private readonly _block: number;
  private readonly _weightBytes: number;
  private readonly _biasBytes: number;
  private readonly _product = new Product();

  /** @param dims of the weight: all rows, and what makes the columns */
  constructor(who: string, options: ModuleOptions | undefined, dims: readonly number[], groups: number, bias: boolean) {
    super(who, options);
    this._rows = dims[0]! / groups;
    this._columns = columnCount(dims);
    this._groups = groups;
    this._weightBytes = panelBytes(this._rows, this._columns, this.form);
    this._biasBytes = panelBytes(this._rows, 1);
    this._block = this.own(groups * (this._weightBytes + this._biasBytes));
    const place = { gates: 0, parts: groups };
    this.parameters.push({ name: 'weight', dims, pointer: this._block, form: this.form, ...place });
    // a row an output, of one column: in the panels of its group
    const pointer = this._block + groups * this._weightBytes;
    if (bias) this.parameters.push({ name: 'bias', dims: [dims[0]!], pointer, ...place });
    this.start(options, this._columns);
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
    const zBytes = this._biasBytes + quantizedBytes(this._columns, this.form);
    const rowBytes = 4 * (this._columns + this._rows) + zBytes;
    const chunk = Math.min(count, Math.max(4, Math.floor(CHUNK_BYTES / rowBytes) & ~3));
    const z = scratch(chunk * rowBytes + PRODUCT_BYTES);
    const x = z + chunk * zBytes;
    const y = x + 4 * chunk * this._columns;
    const call = y + 4 * chunk * this._rows;
    const product = this._product;
    product.w = this._block + group * this._weightBytes;
    product.x = x;
    product.xStride = 4 * this._columns;
    product.K = this._columns;
    product.init = this._block + this._groups * this._weightBytes + group * this._biasBytes;
    product.z = z;
    product.zStride = panelCount(this._rows) * PANEL_BYTES;
    product.panels = panelCount(this._rows);
    product.form = this.form;
    product.scratch = z + chunk * product.zStride;
    const memory = floats();
    for (let first = 0; first < count; first += chunk) {
      const end = Math.min(first + chunk, count);
      read(memory, x / 4, first, end);
      product.rows = end - first;
      wasm().linear(product.write(call), y, this._rows);
      write(memory, y / 4, first, end);
    }
    endScratch();
  }
}
