import { ModelError } from '../base/errors.ts';
import { Owner } from '../base/owner.ts';
import { describe } from '../base/tensor.ts';
import { endScratch } from '../memory/arena.ts';
import type { ExternalFiles } from './external.ts';
import { type OnnxFeeds, type OnnxPort, readFeeds } from './feeds.ts';
import { Compiler, type ExecutionPlan, type ExecutionStep, type Operand } from './graph.ts';
import type { LSTMReport } from './lstm-report.ts';
import { type OnnxModel, type OnnxValueInfo, readModel } from './model.ts';
import type { Owned } from './packing.ts';
import { refuse, refuseBecause, refuseMissing, refuseTwice } from './refuse.ts';
import { computedType, type RunValue, type ValueData, type ValueType, Work } from './value.ts';

/** An output of a run, in memory of its own: later runs do not change it. */
export interface OnnxResult {
  /** The elements, row-major: Float32Array, BigInt64Array (int64), Int32Array, or Uint8Array (bool, 0 or 1). */
  readonly data: ValueData;
  /** The shape; [] for a scalar. */
  readonly dims: readonly number[];
  /** 'float32', 'int64', 'int32' or 'bool'. */
  readonly type: ValueType;
}

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
  /** Names of the inputs that are float16 in the file. */
  private readonly _halves: ReadonlySet<string>;
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
    this._halves = new Set(graph.inputs.filter(({ type }) => type === 'float16').map(({ name }) => name));
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
    const values = readFeeds(this.inputs, this._halves, feeds);
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
