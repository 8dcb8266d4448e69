import { ModelError } from '../base/errors.ts';
import { Owner } from '../base/owner.ts';
import { describe, formatDims, product, shorten, tag, wrongType, wrongValue } from '../base/tensor.ts';
import { endScratch } from '../memory/arena.ts';
import { wasm } from '../memory/wasm.ts';
import type { ExternalFiles } from './external.ts';
import { Compiler, type ExecutionPlan, type ExecutionStep, type Operand } from './graph.ts';
import type { LSTMReport } from './lstm-report.ts';
import { type OnnxModel, type OnnxValueInfo, readModel } from './model.ts';
import type { Owned } from './packing.ts';
import { refuse, refuseBecause, refuseMissing, refuseTwice } from './refuse.ts';
import {
  computedType,
  MAX_RANK,
  MAX_SIZE,
  newData,
  type RunValue,
  type ValueData,
  type ValueType,
  Work,
} from './value.ts';

/** An input of a run; an onnxruntime `Tensor` fits. */
export interface OnnxFeed {
  /** The elements, row-major: Float32Array, BigInt64Array (int64), Int32Array, or Uint8Array (bool, 0 or 1). Not changed. */
  readonly data: ValueData;
  /** The shape, which has to fit the input's dims; [] for a scalar. */
  readonly dims: readonly number[];
  /** 'float32', 'int64', 'int32' or 'bool'; checked if it is given. */
  readonly type?: string | undefined;
}

/** An output of a run, in memory of its own: later runs do not change it. */
export interface OnnxResult {
  /** The elements, row-major: Float32Array, BigInt64Array (int64), Int32Array, or Uint8Array (bool, 0 or 1). */
  readonly data: ValueData;
  /** The shape; [] for a scalar. */
  readonly dims: readonly number[];
  /** 'float32', 'int64', 'int32' or 'bool'. */
  readonly type: ValueType;
}

/** An input or output of a model. */
export interface OnnxPort {
  /** The name in the file, by which it is fed or returned. */
  readonly name: string;
  /** The type of its feed or result; where the file says float16, bfloat16 or float64 it is float32. */
  readonly type: ValueType;
  /** A number is a size, a string the name of a symbolic size ('' without a name); undefined if the file does not say. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** The inputs of a run by name, in an object or a Map. */
export type OnnxFeeds = Readonly<Record<string, OnnxFeed>> | ReadonlyMap<string, OnnxFeed>;

const ARRAYS: Readonly<Record<ValueType, string>> = {
  float32: 'Float32Array',
  int64: 'BigInt64Array',
  int32: 'Int32Array',
  bool: 'Uint8Array',
};

// The work that a run may ask for. An element that is fed may meet every weight, and make some elements in each step or a row of
// logits; each run may do the constant part besides.
const ELEMENTS = 2 ** 24;
const ELEMENTS_PER_STEP = 64;
const MOST_ELEMENTS = 2 ** 18;
const MULTIPLICATIONS = 2 ** 28;

/**
 * A model that is ready to run; loadOnnx() makes it. It keeps no state between runs: feed an output back as an input where the
 * model has states.
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { LSTM } from 'lstm-wasm';
 * import { loadOnnx } from 'lstm-wasm/onnx';
 *
 * const session = loadOnnx(readFileSync('model.onnx'));
 * console.log(session.outputs.map(({ name }) => name)); // [ 'Y', 'Y_h', 'Y_c' ]
 * const { Y } = session.run(new Map([['X', { data: new Float32Array(126), dims: [7, 3, 6] }]]));
 * console.log(Y.type, Y.dims); // float32 [ 7, 1, 3, 8 ]
 *
 * const stream = LSTM.fromStateDict(session.lstms[0].stateDict).stream(); // the model's layer, a step a call
 * stream.input.fill(0);
 * stream.step();
 * console.log(stream.output.every((x, i) => x === Y.data[i])); // true
 * session.dispose();
 * ```
 */
export class OnnxSession extends Owner {
  /** The inputs to feed, in the file's order; those that an initializer gives a value are constants and not listed. */
  readonly inputs: readonly OnnxPort[];
  /** The outputs, in the file's order. */
  readonly outputs: readonly OnnxPort[];
  /** The LSTM nodes, those in branches included. */
  readonly lstms: readonly LSTMReport[];
  private readonly _plan: ExecutionPlan;
  private readonly _slots: number;
  private readonly _constants: number;
  private readonly _steps: number;
  private readonly _resources: readonly Owned[];

  /** @internal */
  constructor(model: OnnxModel, fileBytes: number) {
    super('onnx');
    const { graph } = model;
    this.inputs = graph.inputs
      .filter(({ name }) => !graph.initializers.has(name))
      .map((info, i) => port(info, `graph.input[${i}]`));
    const compiler = new Compiler(model, fileBytes);
    try {
      this._plan = compiler.compile(
        graph,
        this.inputs.map(({ name }) => name),
      );
      this.outputs = outputPorts(graph.outputs);
    } catch (error) {
      for (const resource of compiler.resources) resource.dispose();
      throw error;
    }
    this._slots = compiler.slots;
    this._constants = compiler.constants;
    this._steps = countSteps(this._plan);
    this._resources = compiler.resources;
    this.lstms = compiler.lstms;
  }

  /**
   * Runs the model, synchronously.
   * @param feeds every input by name, in an object or a Map
   * @returns the outputs by name, in an object without a prototype
   * @throws TypeError or RangeError that names a feed that is missing, unknown, or of the wrong type or shape
   * @throws ModelError that names the node whose inputs do not fit each other, or that asks for absurd work
   * @throws Error after dispose()
   */
  run(feeds: OnnxFeeds): Record<string, OnnxResult> {
    this.checkAlive();
    const values = readFeeds(this.inputs, feeds);
    const slots: (RunValue | undefined)[] = new Array(this._slots);
    let fed = 1;
    for (const [i, value] of values.entries()) {
      slots[i] = value;
      fed += value.data.length;
    }
    const elements = Math.min(this._constants, MOST_ELEMENTS) + ELEMENTS_PER_STEP * this._steps;
    const work = new Work(ELEMENTS + fed * elements, MULTIPLICATIONS + fed * 4 * this._constants, refuseWork);
    let outputs: readonly RunValue[];
    try {
      outputs = runPlan(this._plan, slots, work);
    } finally {
      endScratch();
    }
    const results: Record<string, OnnxResult> = Object.create(null);
    for (const [i, { name }] of this.outputs.entries()) {
      const { type, dims, data } = outputs[i]!;
      results[name] = { data: data.slice(), dims: [...dims], type };
    }
    return results;
  }

  protected override free(): void {
    for (const resource of this._resources) resource.dispose();
  }
}

/** @throws ModelError that tells the first fault of the model, or lists every unsupported operator */
export function createSession(file: Uint8Array, external: ExternalFiles): OnnxSession {
  return new OnnxSession(readModel(file, external), file.length + external.bytes);
}

function port({ name, type, dims }: OnnxValueInfo, path: string): OnnxPort {
  const computed = type === undefined ? undefined : computedType(type);
  if (!computed) {
    return refuse('unsupported', path, `type of ${describe(name)}`, 'float32, int64, int32 or bool', type);
  }
  return { name, type: computed, dims };
}

function outputPorts(outputs: readonly OnnxValueInfo[]): OnnxPort[] {
  if (outputs.length === 0) refuseMissing('graph.output', 'an output', 0);
  const names = new Set<string>();
  return outputs.map((info, i) => {
    const path = `graph.output[${i}]`;
    if (names.has(info.name)) refuseTwice(path, 'name', info.name);
    names.add(info.name);
    return port(info, path);
  });
}

function countSteps({ steps }: ExecutionPlan): number {
  let count = 0;
  for (const { branches } of steps) count += 1 + (branches?.reduce((sum, plan) => sum + countSteps(plan), 0) ?? 0);
  return count;
}

function refuseWork(path: string): never {
  const text = 'the run expected work in proportion to its inputs and weights, got more: a size in the model is absurd';
  return refuseBecause('too-large', path, text, 'less work', 'more');
}

function runPlan({ steps, outputs }: ExecutionPlan, slots: (RunValue | undefined)[], work: Work): RunValue[] {
  const read = (operand: Operand) => (typeof operand === 'number' ? slots[operand] : operand);
  for (const step of steps) {
    const inputs = step.operands.map(read);
    const results = step.branches ? runBranch(step, inputs[0]!, slots, work) : runKernel(step, inputs, work);
    for (const slot of step.last) slots[slot] = undefined;
    for (const [i, slot] of step.targets.entries()) if (slot >= 0) slots[slot] = results[i];
  }
  return outputs.map((operand) => read(operand)!);
}

function runKernel(
  { kernel, path }: ExecutionStep,
  inputs: readonly (RunValue | undefined)[],
  work: Work,
): readonly RunValue[] {
  try {
    return kernel!(inputs, work);
  } catch (error) {
    // thrown when linear memory cannot grow
    if (!(error instanceof RangeError) || error instanceof ModelError || !error.message.startsWith('lstm-wasm')) {
      throw error;
    }
    return refuseBecause('no-memory', path, error.message, 'less memory', 'more');
  }
}

function runBranch(
  { branches, path }: ExecutionStep,
  { type, data }: RunValue,
  slots: (RunValue | undefined)[],
  work: Work,
): readonly RunValue[] {
  if (type !== 'bool' || data.length !== 1) {
    const reason = `the condition expected one bool, got ${data.length} of ${type}`;
    refuseBecause('wrong-type', path, reason, 'one bool', type);
  }
  return runPlan(branches![data[0] ? 0 : 1], slots, work);
}

function readFeeds(inputs: readonly OnnxPort[], feeds: unknown): RunValue[] {
  if (feeds === null || typeof feeds !== 'object') {
    throw wrongType('run', 'feeds', 'an object or Map of tensors', feeds);
  }
  const all = tag(feeds) === 'Map' ? (feeds as Map<unknown, unknown>) : new Map(Object.entries(feeds));
  const names = new Set<unknown>(inputs.map(({ name }) => name));
  for (const name of all.keys()) {
    if (!names.has(name)) {
      const known = [...names].map(describe).join(', ') || 'none';
      throw new TypeError(shorten(`run: unknown feed ${describe(name)}, expected ${known}`));
    }
  }
  return inputs.map((input) => {
    if (!all.has(input.name)) throw new TypeError(`run: missing feed ${describe(input.name)}`);
    return readFeed(input, all.get(input.name));
  });
}

function readFeed({ name, type, dims: expected }: OnnxPort, feed: unknown): RunValue {
  const what = `feed ${describe(name).slice(1, -1)}`;
  if (feed === null || typeof feed !== 'object') throw wrongType('run', what, 'a tensor { data, dims }', feed);
  const { data, dims, type: said } = feed as OnnxFeed;
  if (said !== undefined && said !== type) throw wrongType('run', `${what}.type`, type, said);
  if (!ArrayBuffer.isView(data) || tag(data) !== ARRAYS[type]) {
    throw wrongType('run', `${what}.data`, `a ${ARRAYS[type]} (${type})`, data);
  }
  if (tag(data.buffer) !== 'ArrayBuffer') {
    throw wrongType('run', `${what}.data`, 'a view of an ArrayBuffer', data.buffer);
  }
  if (!Array.isArray(dims) || !dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw wrongType('run', `${what}.dims`, 'an array of integers of at least 0', dims);
  }
  if (dims.length > MAX_RANK || dims.some((size) => size > MAX_SIZE)) {
    throw wrongValue('run', `${what}.dims`, `at most ${MAX_RANK} sizes of at most ${MAX_SIZE}`, dims);
  }
  const fits =
    !expected ||
    (expected.length === dims.length && expected.every((size, i) => size === dims[i] || typeof size === 'string'));
  if (!fits) throw wrongValue('run', `${what}.dims`, formatDims(expected.map((size) => size || '?')), dims);
  if (data.length !== product(dims)) {
    throw wrongValue('run', `${what}.data`, `${product(dims)} elements for dims ${formatDims(dims)}`, data.length);
  }
  // copied if it is of another realm, since kernels look at the class, or in linear memory, which may grow during the run
  const isOurs = data.constructor === newData(type, 0).constructor && data.buffer !== wasm().memory.buffer;
  const mine = isOurs ? data : newData(type, data.length);
  if (mine !== data) (mine as Float32Array).set(data as Float32Array);
  return { type, dims: [...dims], data: mine };
}
