import { describe, formatDims } from '../base/tensor.ts';
import type { LSTMReport } from './lstm.ts';
import type { OnnxNode } from './model.ts';
import { refuse } from './refuse.ts';
import { OnnxTensor } from './tensor.ts';
import { isFloat, toNumbers, type Value, type ValueType, type Work } from './value.ts';

/** What has memory to give back. */
export interface Owned {
  dispose(): void;
}

/** What a node does in a run: its inputs (undefined: left out) to its outputs. */
export type Kernel = (inputs: readonly (Value | undefined)[], work: Work) => readonly Value[];

/** An operator: how many inputs and outputs it has, in which operator sets it is, and how its nodes are made ready. */
export interface Operator {
  readonly inputs: readonly [min: number, max: number];
  readonly outputs?: readonly [min: number, max: number];
  /** The first operator set of ONNX that has it; 7 if left out. */
  readonly since?: number;
  /** What is not supported of it, in words, for docs/formats/onnx.md. */
  readonly limits?: string;
  readonly prepare: (node: Node) => Kernel;
}

/** A node as its operator sees it when the model is loaded. */
export class Node {
  readonly opType: string;
  readonly opset: number;
  readonly outputs: readonly string[];
  /** Names the node in errors. */
  readonly path: string;
  /** The inputs that are known at load; one that is set to undefined is not kept, and not given in a run. */
  readonly constants: (Value | undefined)[];
  /** Which inputs are there. */
  readonly present: readonly boolean[];
  /** Of an LSTM node. */
  report: LSTMReport | undefined;
  readonly name: string;
  private readonly _attributes: OnnxNode['attributes'];
  private readonly _own: (resource: Owned) => void;

  constructor(
    node: OnnxNode,
    opset: number,
    path: string,
    constants: (Value | undefined)[],
    own: (resource: Owned) => void,
  ) {
    this.opType = node.opType;
    this.name = node.name || (node.outputs.find(Boolean) ?? '');
    this.opset = opset;
    this.outputs = node.outputs;
    this.path = path;
    this.constants = constants;
    this.present = node.inputs.map((name) => name !== '');
    this._attributes = node.attributes;
    this._own = own;
  }

  /** Keeps `resource` until the model is disposed of. */
  own<T extends Owned>(resource: T): T {
    this._own(resource);
    return resource;
  }

  refuse(code: string, text: string, expected: unknown, found: unknown): never {
    return refuse(code, this.path, text, expected, found);
  }

  wrongShape(what: string, expected: string, dims: readonly number[]): never {
    const found = formatDims(dims);
    return this.refuse('wrong-shape', `${what} expected ${expected}, got ${found}`, expected, found);
  }

  wrongType(what: string, expected: string, found: string): never {
    return this.refuse('wrong-type', `${what} expected ${expected}, got ${found}`, expected, found);
  }

  has(name: string): boolean {
    return this._attributes.has(name);
  }

  private _wrongAttribute(name: string, expected: string): never {
    const found = describe(this._attributes.get(name));
    return this.refuse('wrong-attribute', `attribute ${name} expected ${expected}, got ${found}`, expected, found);
  }

  int(name: string, fallback: number): number {
    const value = this._attributes.get(name) ?? fallback;
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this._wrongAttribute(name, 'an integer');
  }

  flag(name: string): boolean {
    return this.int(name, 0) !== 0;
  }

  ints(name: string): number[] | undefined {
    // those beyond 2^53 stand for the end of something, and need not be exact
    return this._list(name, 'integers', (value) => Number.isInteger(Number(value))) as number[] | undefined;
  }

  floats(name: string): number[] | undefined {
    return this._list(name, 'numbers', (value) => typeof value === 'number') as number[] | undefined;
  }

  strings(name: string): string[] | undefined {
    return this._list(name, 'strings', (value) => typeof value === 'string') as string[] | undefined;
  }

  private _list(name: string, expected: string, isRight: (value: unknown) => boolean): unknown[] | undefined {
    const value = this._attributes.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every(isRight)) return this._wrongAttribute(name, `a list of ${expected}`);
    return expected === 'integers' ? value.map(Number) : value;
  }

  float(name: string, fallback: number): number {
    const value = this._attributes.get(name) ?? fallback;
    return typeof value === 'number' ? value : this._wrongAttribute(name, 'a number');
  }

  string(name: string, fallback: string): string {
    const value = this._attributes.get(name) ?? fallback;
    return typeof value === 'string' ? value : this._wrongAttribute(name, 'a string');
  }

  tensor(name: string): OnnxTensor | undefined {
    const value = this._attributes.get(name);
    if (value === undefined || value instanceof OnnxTensor) return value;
    return this._wrongAttribute(name, 'a tensor');
  }

  /** Axis `axis` of a value of `rank` dims, which may count from the end. */
  axis(axis: number, rank: number, what = 'axis'): number {
    if (!(axis >= -rank && axis < rank)) {
      const expected = `an integer from ${-rank} to ${rank - 1}`;
      this.refuse('out-of-range', `${what} expected ${expected}, got ${axis}`, expected, axis);
    }
    return axis < 0 ? axis + rank : axis;
  }

  /** Axes in rising order; one that is named twice is refused, or with `again` counts once. */
  axes(axes: readonly number[], rank: number, again = false): number[] {
    const sorted = axes.map((axis) => this.axis(axis, rank, 'axes')).sort((a, b) => a - b);
    if (again) return [...new Set(sorted)];
    if (sorted.some((axis, i) => axis === sorted[i - 1])) {
      this.refuse('repeated', `axes expected each axis once, got ${formatDims(axes)}`, 'each once', formatDims(axes));
    }
    return sorted;
  }

  float32(what: string, value: Value): Value<Float32Array> {
    return isFloat(value) ? value : this.wrongType(what, 'float32', value.type);
  }

  /** The integers of a tensor of any rank up to 1. */
  integers(what: string, value: Value): number[] {
    if (value.type !== 'int64' && value.type !== 'int32') this.wrongType(what, 'int64', value.type);
    if (value.dims.length > 1) this.wrongShape(what, 'one dimension', value.dims);
    return toNumbers(value);
  }

  /** A tensor of one element. */
  scalar(what: string, value: Value, ...types: ValueType[]): number | bigint {
    if (!types.includes(value.type)) this.wrongType(what, types.join(' or '), value.type);
    if (value.data.length !== 1) this.wrongShape(what, 'one element', value.dims);
    return value.data[0]!;
  }
}
