import { Matrices } from '../memory/matrices.ts';
import { columnCount } from '../memory/pack.ts';
import { Module, type ModuleOptions } from './module.ts';

/** The base of Linear and Conv1d: a matrix for each group of outputs, and a bias. */
export abstract class Affine extends Module {
  protected readonly matrices: Matrices;

  /** @param dims dims of the weight: all rows, then the sizes whose product is the number of columns */
  constructor(who: string, options: ModuleOptions | undefined, dims: readonly number[], groups: number, bias: boolean) {
    super(who, options);
    this.matrices = new Matrices(dims, groups, bias, this.form, (bytes) => this.allocate(bytes));
    this.parameters.push(...this.matrices.parameters);
    this.initializeParameters(options, columnCount(dims));
  }
}
