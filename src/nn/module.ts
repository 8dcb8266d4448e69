import { Owner } from '../base/owner.ts';
import {
  checkBoolean,
  checkInteger,
  checkOptions,
  type StateDict,
  type TensorLike,
  wrongValue,
} from '../base/tensor.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { allocateForViews, allocateZeros, release } from '../memory/arena.ts';
import { int8Form, quantizeMatrix } from '../memory/int8.ts';
import {
  type Form,
  holdsInt8,
  type Int8Matrix,
  type Parameter,
  readInt8,
  readParameter,
  type Values,
  writeParameter,
} from '../memory/pack.ts';
import { nextSeed, Random } from './random.ts';
import { checkPrefix, entries, type LoadResult, matchStateDict, SCALE, VALUES } from './state-dict.ts';

export { VALUES };

/** Options that the constructors of all layers with weights take. */
export interface ModuleOptions {
  readonly seed?: number | undefined;
  readonly [VALUES]?: Values | undefined;
}

/** Options of quantize(). */
export interface QuantizeOptions {
  /** Bits per weight; only 8. 16 halved the memory but ran at most 1.7x as fast as float32, where 8 run 4x. */
  readonly bits?: 8 | undefined;
}

/** A tensor of 8-bit integers: a matrix of weights from quantizedStateDict(). */
export interface Int8Tensor {
  /** The elements in row-major order, from -127 to 127. */
  readonly data: Int8Array;
  /** The shape: sizes from the outermost dimension to the innermost. */
  readonly dims: readonly number[];
}

let registry: FinalizationRegistry<number[]> | undefined;

function releaseAll(blocks: number[]): void {
  for (const block of blocks.splice(0)) release(block);
}

/**
 * Owns blocks of linear memory, most often one. dispose() frees them; if nobody calls it, the garbage collector does. Fields of
 * public classes are private to TypeScript only: Vue and Alpine wrap every object that they are given in a Proxy, through which
 * `#` fields cannot be reached.
 */
export abstract class Resource extends Owner {
  /** Pointers of the blocks; empty after dispose(). The registry holds the same array. */
  private readonly _blocks: number[] = [];

  /**
   * Allocates a zeroed block, freed by dispose(). Each call adds one.
   * @throws RangeError if memory cannot grow that far
   */
  protected allocate(bytes: number): number {
    return this._keep(allocateZeros(bytes));
  }

  /**
   * Allocates a zeroed block that users get views of.
   * @throws RangeError if memory cannot grow that far
   */
  protected allocateForViews(bytes: number): number {
    return this._keep(allocateForViews(bytes));
  }

  /** Runs a later part of a constructor; frees the memory that was allocated so far if `make` throws. */
  protected orFree<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  private _keep(block: number): number {
    if (this._blocks.length === 0) {
      registry ??= new FinalizationRegistry(releaseAll);
      registry.register(this, this._blocks);
    }
    this._blocks.push(block);
    return block;
  }

  protected override free(): void {
    releaseAll(this._blocks);
  }
}

/** The base of every layer, with the methods of PyTorch's nn.Module: state dict, strict loading, train and eval. */
export abstract class Module extends Resource {
  protected readonly random: Random;
  /** In PyTorch's order */
  protected readonly parameters: Parameter[] = [];
  /** The form of the weights of all matrices */
  protected readonly form: Form;
  private _training = false;

  constructor(who: string, { seed, [VALUES]: values }: ModuleOptions = {}) {
    super(who);
    this.random = new Random(seed === undefined ? nextSeed() : this._checkSeed(seed));
    this.form = values && holdsInt8(values) ? int8Form() : FLOAT32;
  }

  /** Whether dropout is applied: false until train() is called. A module of PyTorch starts with true. */
  get training(): boolean {
    return this._training;
  }

  /**
   * Switches to training mode, in which dropout is applied. `seed` (an integer from 0 to 2^53 - 1) restarts the module's random
   * generator, so that the same calls give the same masks.
   * @throws TypeError or RangeError that names the option
   */
  train(options?: { seed?: number }): this {
    this.checkAlive();
    checkOptions(this.who, options, ['seed']);
    if (options?.seed !== undefined) this.random.seed(this._checkSeed(options.seed));
    this._training = true;
    return this;
  }

  private _checkSeed(seed: unknown): number {
    return checkInteger(this.who, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  }

  /** Switches to evaluation mode, the default, without dropout. */
  eval(): this {
    this.checkAlive();
    this._training = false;
    return this;
  }

  /**
   * Copies parameters from a state dict, under keys `prefix` + PyTorch's names; Float64Arrays are rounded to float32.
   * Strict by default, as in PyTorch: a missing key, or an unexpected key under the prefix, is an error. With `strict: false` the
   * parameters that have a key are loaded, and the difference is returned.
   * @throws ModelError that lists every missing key, unexpected key, wrong shape and entry that is no float tensor
   * @throws TypeError that names a wrong argument. Nothing is changed whenever an error is thrown.
   */
  loadStateDict(stateDict: StateDict, prefix = '', options?: { strict?: boolean }): LoadResult {
    this.checkAlive();
    checkOptions(this.who, options, ['strict']);
    const strict = checkBoolean(this.who, 'strict', options?.strict ?? true);
    const int8 = this.form !== FLOAT32;
    const all = entries(this.who, stateDict, prefix);
    // a getter of the caller's may have disposed of the module
    this.checkAlive();
    const { values, ...result } = matchStateDict(this.who, this.parameters, all, prefix, strict, int8);
    this._write(values);
    return result;
  }

  /**
   * Copies all parameters, with the bits that were loaded, under `prefix` + PyTorch's names and in PyTorch's order. 8-bit weights
   * are given as the float32 that they stand for.
   * @throws TypeError if `prefix` is no string
   */
  stateDict(prefix = ''): Map<string, TensorLike> {
    this.checkAlive();
    checkPrefix(this.who, prefix);
    return new Map(
      this.parameters.map((parameter) => [
        prefix + parameter.name,
        { data: readParameter(parameter), dims: [...parameter.dims] },
      ]),
    );
  }

  /** Checks the options of quantize() and gives the values of the quantized copy. */
  protected quantizedValues(options: QuantizeOptions | undefined): Values {
    this.checkAlive();
    checkOptions(this.who, options, ['bits']);
    if ((options?.bits ?? 8) !== 8) throw wrongValue(this.who, 'bits', '8', options!.bits);
    return this._int8Values();
  }

  /** Gives every parameter, matrices with 8-bit weights: the module's own, or the nearest to its float32 weights. */
  private _int8Values(): Values {
    return new Map(
      this.parameters.map((parameter) => {
        const { name, dims, panels } = parameter;
        if (panels?.form) return [name, readInt8(parameter)];
        const value = readParameter(parameter);
        return [name, dims.length < 2 ? value : this._quantized(parameter, value)];
      }),
    );
  }

  private _quantized({ name, dims }: Parameter, value: Float32Array): Int8Matrix {
    return quantizeMatrix(this.who, name, value, dims[0]!);
  }

  /**
   * Copies the state dict with 8-bit weights, for serializeSafetensors and fromStateDict. Each matrix is an int8 tensor under its
   * name, and the float32 scales of its rows are under its name + `_scale`; other parameters are as in stateDict().
   * @throws ModelError if a weight is NaN or infinite; TypeError if `prefix` is no string
   */
  quantizedStateDict(prefix = ''): Map<string, TensorLike | Int8Tensor> {
    this.checkAlive();
    checkPrefix(this.who, prefix);
    const values = this._int8Values();
    const stateDict = new Map<string, TensorLike | Int8Tensor>();
    for (const { name, dims } of this.parameters) {
      const value = values.get(name)!;
      const data = 'scale' in value ? value.data : value;
      stateDict.set(prefix + name, { data, dims: [...dims] } as TensorLike | Int8Tensor);
      if ('scale' in value) stateDict.set(prefix + name + SCALE, { data: value.scale, dims: [dims[0]!] });
    }
    return stateDict;
  }

  /**
   * Writes the values that the constructor was given, or else initializes as PyTorch does most layers: every parameter uniform
   * in ±1/sqrt(size), in the order of the state dict.
   */
  protected initializeParameters(options: ModuleOptions | undefined, size: number): void {
    const values = options?.[VALUES];
    if (values) this.orFree(() => this._write(values));
    else {
      for (const parameter of this.parameters) this.random.uniform(parameter, size);
      this.parametersChanged();
    }
  }

  /** Quantizes the values of matrices with 8-bit weights, then copies all. A parameter without a value stays as it is. */
  private _write(values: Values): void {
    const all = this.parameters.map((parameter) => {
      const value = values.get(parameter.name);
      return parameter.panels?.form && value && !('scale' in value) ? this._quantized(parameter, value) : value;
    });
    for (const [i, value] of all.entries()) if (value) writeParameter(this.parameters[i]!, value);
    this.parametersChanged();
  }

  /** Recomputes values that depend on the parameters; called after these have changed. */
  protected parametersChanged(): void {}
}
