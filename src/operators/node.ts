import { describe, formatDims } from '../base/tensor.ts';
import type { Activation } from '../cells/activations.ts';
import type { Builder } from '../graph/builder.ts';
import type { ValueType } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { int8Form } from '../memory/int8.ts';
import type { Form } from '../memory/pack.ts';
import type { LSTMReport } from './lstm-report.ts';
import type { Owned, Packing } from './packing.ts';
import { checkResult, isFloat, NUMBERS, type Refusal, refuseRank, toNumbers } from './value.ts';

/**
 * Plans a node: checks the dims of its inputs, adds its steps to the plan and gives its results. An input that is left out is
 * undefined.
 */
export type Lower = (inputs: readonly (Value | undefined)[], plan: Builder) => readonly Value[];

/** An operator: how many inputs and outputs it has, which operator sets have it, and how its nodes are made ready. */
export interface Operator {
  /** How many inputs a node has; the first `min` may not be left out. */
  readonly inputs: readonly [min: number, max: number];
  /** How many outputs a node has; one if left out. */
  readonly outputs?: readonly [min: number, max: number];
  /** The first of ONNX's operator sets that has it; 7 if left out. */
  readonly since?: number;
  /** Names the parts that are not supported, as docs/formats/onnx.md lists them. */
  readonly limits?: string;
  /** Checks attributes and packs constant inputs, when the model is loaded. */
  readonly prepare: (node: OperatorNode) => Lower;
  /** Whether it takes inputs whose elements [N, C, L] lie as [N, L, C]. */
  readonly takesTurned?: boolean;
}

/** State that the nodes of a model share while they are made ready. */
export interface Making {
  readonly opset: number;
  /** Keeps memory until the model is disposed of. */
  readonly own: (resource: Owned) => void;
  readonly packing: Packing;
  /** Whether constant matrices get 8-bit weights. */
  readonly int8: boolean;
}

/** Gives an operator its inputs in the usual order of elements, unless it takes them turned. */
export function inOrder({ takesTurned }: Operator, lower: Lower): Lower {
  if (takesTurned) return lower;
  return (inputs, plan) =>
    lower(
      inputs.map((input) => input && plan.plain(input)),
      plan,
    );
}

/** The constants of a node that was sealed. */
const NO_CONSTANTS: (Value | undefined)[] = [];

/**
 * A node as its operator's prepare() sees it: attributes, constant inputs, and ways to refuse it. A reader extends it by what its files
 * say of a node. Thousands of them may be kept.
 */
export abstract class OperatorNode {
  readonly opset: number;
  /**
   * The inputs that are known at load, while prepare() runs. It may set one to undefined: it is not kept then, nor given in a run.
   */
  constants: (Value | undefined)[];
  /** Set by the operator LSTM, for those who list a model's LSTMs. */
  report: LSTMReport | undefined;
  /** Let go of after prepare(), as it leads to all other nodes. */
  private _making: Making | undefined;
  private readonly _int8: boolean;

  /** @param varies whether an input is only known in a run: a node of constants is computed once, at load, with float32 weights */
  constructor(constants: (Value | undefined)[], varies: boolean, making: Making) {
    this.opset = making.opset;
    this.constants = constants;
    this.report = undefined;
    this._making = making;
    this._int8 = making.int8 && varies;
  }

  /** The operator, such as 'Conv'. */
  abstract get opType(): string;

  /** The node's name; if it has none, that of its first output. */
  abstract get name(): string;

  /** Names the node in errors. */
  abstract get path(): string;

  /** Names of the outputs; '' where one is left out. */
  abstract get outputs(): readonly string[];

  /** For each input, whether it is given. */
  abstract get present(): readonly boolean[];

  /** How the reader refuses the node. */
  protected abstract get refusal(): Refusal;

  /** An attribute that is neither tensor nor graph: a number, a bigint beyond 2^53, a string, or a list; undefined if left out. */
  protected abstract attribute(name: string): unknown;

  /** An attribute that is a tensor; undefined if it is left out. Its data are read anew in each call. */
  abstract tensor(name: string): Value | undefined;

  /** The activation functions of a recurrent node, three a direction, where a reader has others than ONNX's names. */
  get functions(): readonly Activation[] | undefined {
    return undefined;
  }

  /** The same node with other inputs, for an operator that is made of another one. */
  withInputs(constants: (Value | undefined)[], present: readonly boolean[]): OperatorNode {
    // attributes, name and memory are those of this node; an assignment to `constants` stays in the new one
    return Object.create(this, { constants: { value: constants, writable: true }, present: { value: present } });
  }

  /** Lets go of what only prepare() needs. */
  seal(): void {
    this.constants = NO_CONSTANTS;
    this.report = undefined;
    this._making = undefined;
  }

  /** The form in which constant matrices are packed. */
  get form(): Form {
    return this._int8 ? int8Form() : FLOAT32;
  }

  /**
   * Packs constant inputs, once for all nodes that have the same in the same layout and form; the inputs themselves are not kept
   * then.
   * @returns undefined if the model holds too much already: the node packs them in each run
   */
  pack<T extends Owned>(inputs: readonly number[], layout: string, bytes: number, make: () => T): T | undefined {
    const values = inputs.map((i) => this.constants[i]);
    const { packing, own } = this._making!;
    const packed = packing.share(values, `${layout} in form ${this.form}`, bytes, make, own);
    if (packed) for (const i of inputs) this.constants[i] = undefined;
    return packed;
  }

  /** Refuses the node: `WHAT expected EXPECTED, got FOUND`, which are the details of the ModelError too. */
  wrong(code: string, what: string, expected: unknown, found: unknown): never {
    return this.refusal.refuse(code, this.path, what, expected, found);
  }

  /** Refuses the node for a reason that `expected` and `found` alone do not tell. */
  wrongBecause(code: string, reason: string, expected: unknown, found: unknown): never {
    return this.refusal.because(code, this.path, reason, expected, found);
  }

  wrongShape(what: string, expected: string, dims: readonly number[]): never {
    return this.wrong('wrong-shape', what, expected, formatDims(dims));
  }

  wrongType(what: string, expected: string, found: string): never {
    return this.wrong('wrong-type', what, expected, found);
  }

  wrongAttribute(name: string, expected: unknown, found: unknown): never {
    return this.wrong('wrong-attribute', `attribute ${name}`, expected, found);
  }

  protected wrongKind(name: string, expected: string): never {
    return this.wrongAttribute(name, expected, describe(this.attribute(name)));
  }

  /** Refuses the node for an input or attribute that is left out. */
  missing(expected: string): never {
    return this.wrongBecause('missing', `expected ${expected}, got none`, expected, undefined);
  }

  /** Whether the file gives the attribute `name`. Below, an attribute that it does not give is the fallback, or undefined. */
  has(name: string): boolean {
    return this.attribute(name) !== undefined;
  }

  int(name: string, fallback: number): number {
    const value = this.attribute(name) ?? fallback;
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.wrongKind(name, 'an integer');
  }

  /** An integer attribute as a boolean: false for 0, and where it is left out. */
  flag(name: string): boolean {
    return this.int(name, 0) !== 0;
  }

  /** A list of integers; those beyond 2^53 only mean "to the end", so they are rounded. */
  ints(name: string): number[] | undefined {
    return this._list(name, 'integers', (value) => Number.isInteger(Number(value))) as number[] | undefined;
  }

  /** An integer, or a list of them, with all bits. */
  bigints(name: string, isList: boolean): BigInt64Array | undefined {
    const value = this.attribute(name);
    if (value === undefined) return undefined;
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const isRight = list.every((one) => typeof one === 'bigint' || Number.isSafeInteger(one));
    if (!isRight || isList !== Array.isArray(value)) this.wrongKind(name, isList ? 'a list of integers' : 'an integer');
    return BigInt64Array.from(list as bigint[], BigInt);
  }

  floats(name: string): number[] | undefined {
    return this._list(name, 'numbers', (value) => typeof value === 'number') as number[] | undefined;
  }

  strings(name: string): string[] | undefined {
    return this._list(name, 'strings', (value) => typeof value === 'string') as string[] | undefined;
  }

  private _list(name: string, expected: string, isRight: (value: unknown) => boolean): unknown[] | undefined {
    const value = this.attribute(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every(isRight)) return this.wrongKind(name, `a list of ${expected}`);
    return expected === 'integers' ? value.map(Number) : value;
  }

  float(name: string, fallback: number): number {
    const value = this.attribute(name) ?? fallback;
    return typeof value === 'number' ? value : this.wrongKind(name, 'a number');
  }

  string(name: string, fallback: string): string {
    const value = this.attribute(name) ?? fallback;
    return typeof value === 'string' ? value : this.wrongKind(name, 'a string');
  }

  /** An axis of a value of `rank` dims, from 0 on; a negative one counts from the end. */
  axis(axis: number, rank: number, what = 'axis'): number {
    if (!(axis >= -rank && axis < rank)) {
      this.wrong('out-of-range', what, `an integer from ${-rank} to ${rank - 1}`, axis);
    }
    return axis < 0 ? axis + rank : axis;
  }

  /** Axes in rising order, from 0 on. Refuses an axis that is named twice; with `again` it counts once. */
  axes(axes: readonly number[], rank: number, again = false): number[] {
    const sorted = axes.map((axis) => this.axis(axis, rank, 'axes')).sort((a, b) => a - b);
    if (again) return [...new Set(sorted)];
    if (sorted.some((axis, i) => axis === sorted[i - 1])) {
      this.wrong('repeated', 'axes', 'each once', formatDims(axes));
    }
    return sorted;
  }

  /** Checks the dims of a result that is made without plan.make(). */
  checkResult(dims: readonly number[]): readonly number[] {
    return checkResult(this.refusal, dims, this.path);
  }

  /** Refuses a result of too many dims. */
  wrongRank(rank: number): never {
    return refuseRank(this.refusal, this.path, rank);
  }

  /** Refuses bools and 8-bit integers. */
  numbers(what: string, { type }: { readonly type: ValueType }): void {
    if (!NUMBERS.includes(type)) this.wrongType(what, 'numbers', type);
  }

  float32(what: string, value: Value): Value<Float32Array> {
    return isFloat(value) ? value : this.wrongType(what, 'float32', value.type);
  }

  /** The integers of a vector or scalar, on which the plan depends. */
  integers(what: string, value: Value, plan: Builder): number[] {
    if (value.type !== 'int64' && value.type !== 'int32') this.wrongType(what, 'int64', value.type);
    if (value.dims.length > 1) this.wrongShape(what, 'one dimension', value.dims);
    return toNumbers(plan.need(value));
  }

  /** Refuses weights that 8 bits cannot stand for. */
  checkFinite(what: string, { data }: Value<Float32Array>): void {
    const wrong = data.find((weight) => !Number.isFinite(weight));
    if (wrong !== undefined) this.wrong('not-finite', what, 'finite weights to quantize', wrong);
  }

  /** Checks a tensor that has only one element. */
  checkScalar(what: string, value: Value, ...types: ValueType[]): void {
    if (!types.includes(value.type)) this.wrongType(what, types.join(' or '), value.type);
    if (value.count !== 1) this.wrongShape(what, 'one element', value.dims);
  }

  /** The element of a tensor that has only one, on which the plan depends. */
  scalar(what: string, value: Value, plan: Builder, ...types: ValueType[]): number | bigint {
    this.checkScalar(what, value, ...types);
    return plan.need(value).data[0]!;
  }
}
