import { Layout, wholeTiles } from './layout.ts';
import { columnCount, type Form, PANEL_BYTES, type Parameter, panelBytes, panelCount, quantizedBytes } from './pack.ts';
import { skip } from './rows.ts';
import { PRODUCT_BYTES, Product } from './structs.ts';
import { wasm } from './wasm.ts';

/** The bytes of inputs, sums and outputs of the rows that go through the kernel at once, about. */
const CHUNK_BYTES = 1 << 18;

/** The weights of Linear and Conv1d, a matrix in panels for each group of outputs, and biases; and scratch to multiply in. */
export class Matrices {
  readonly parameters: readonly Parameter[];
  /** Pointers in scratch, which reserve() sets: inputs [rows][columns], and outputs [rows][outputs] for copyOut(). */
  inputs = 0;
  outputs = 0;
  private readonly _rows: number;
  private readonly _columns: number;
  private readonly _form: Form;
  private readonly _weight: number;
  private readonly _weightBytes: number;
  private readonly _bias: number;
  private readonly _biasBytes: number;
  private readonly _product = new Product();
  private readonly _layout = new Layout();
  private _call = 0;

  /**
   * @param dims dims of the weight: all rows, then the sizes whose product is the number of columns
   * @param allocate allocates a block of zeros
   */
  constructor(dims: readonly number[], groups: number, bias: boolean, form: Form, allocate: (bytes: number) => number) {
    this._rows = dims[0]! / groups;
    this._columns = columnCount(dims);
    this._form = form;
    this._weightBytes = panelBytes(this._rows, this._columns, form);
    this._biasBytes = panelBytes(this._rows, 1);
    // the weights of all groups, then their biases in whole panels, zeros without a bias
    this._weight = allocate(groups * (this._weightBytes + this._biasBytes));
    this._bias = this._weight + groups * this._weightBytes;
    this.parameters = [
      { name: 'weight', dims, pointer: this._weight, panels: { form, parts: groups } },
      // a row of one column for each output, in the panels of its group
      ...(bias ? [{ name: 'bias', dims: [dims[0]!], pointer: this._bias, panels: { parts: groups } }] : []),
    ];
  }

  /**
   * Takes scratch for the inputs and outputs of `count` rows, or of fewer rows that stay in the cache. With `wholeInput` there is
   * room for all inputs in any case.
   * @returns the number of rows that the outputs have room for
   */
  reserve(count: number, wholeInput = false): number {
    const zStride = panelCount(this._rows) * PANEL_BYTES;
    const sumBytes = zStride + quantizedBytes(this._columns, this._form);
    const rowBytes = 4 * (this._columns + this._rows) + sumBytes;
    const chunk = Math.min(count, Math.max(4, wholeTiles(CHUNK_BYTES, rowBytes)));
    const layout = this._layout.clear();
    const outputs = layout.output(chunk * this._rows);
    const inputs = layout.output((wholeInput ? count : chunk) * this._columns);
    const sums = layout.line(chunk * sumBytes);
    const call = layout.line(PRODUCT_BYTES);
    const start = layout.scratch();
    this.outputs = start + outputs;
    this.inputs = start + inputs;
    this._call = start + call;
    const product = this._product;
    product.xStride = 4 * this._columns;
    product.K = this._columns;
    product.z = start + sums;
    product.zStride = zStride;
    product.panels = panelCount(this._rows);
    product.form = this._form;
    product.scratch = product.z + chunk * zStride;
    return chunk;
  }

  /** Computes the outputs of a group for `count` rows of the inputs in scratch, from row `first` on. */
  multiply(group: number, count: number, first = 0): void {
    const product = this._product;
    product.w = this._weight + group * this._weightBytes;
    product.init = this._bias + group * this._biasBytes;
    product.x = skip(this.inputs, first * this._columns);
    product.rows = count;
    wasm().linear(product.write(this._call), this.outputs, this._rows);
  }
}
