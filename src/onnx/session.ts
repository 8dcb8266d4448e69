import { ModelError } from '../base/errors.ts';
import { Owner } from '../base/owner.ts';
import { describe, product, wrongValue } from '../base/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Feed } from '../graph/plan.ts';
import { Plans } from '../graph/planner.ts';
import type { Value } from '../graph/value.ts';
import { Watch } from '../graph/watch.ts';
import { endScratch } from '../memory/arena.ts';
import type { LayerTrace } from '../nn/trace.ts';
import type { LSTMReport } from '../operators/lstm-report.ts';
import type { Owned } from '../operators/packing.ts';
import { Work } from '../operators/value.ts';
import { neededFor } from './check.ts';
import type { ExternalFiles } from './external.ts';
import { checkLengths, dropFeeds, feedsOf, type OnnxFeeds, type OnnxPort, type ReadFeed, readFeeds } from './feeds.ts';
import { inlineFunctions } from './functions.ts';
import { Compiler } from './graph.ts';
import type { OnnxGraph, OnnxModel, OnnxValueInfo } from './model.ts';
import { readModel } from './read-model.ts';
import { onnxRefusal, refuse, refuseBecause, refuseMissing, refuseTwice } from './refuse.ts';
import { type OnnxResult, Results, type RunOptions } from './results.ts';
import { OnnxStream, type OnnxStreamOptions } from './stream.ts';
import { computedType } from './to-value.ts';

// The work that a run may ask for. An element that is fed may meet every weight, and make some elements in each step or a row of
// logits; each run may do the constant part besides.
const ELEMENTS = 2 ** 24;
const ELEMENTS_PER_STEP = 64;
const MOST_ELEMENTS = 2 ** 18;
const MULTIPLICATIONS = 2 ** 28;
// The steps of a plan: a Conv with groups or dilations makes some for each row of a batch.
const STEPS = 2 ** 15;
const STEPS_PER_NODE = 64;

/** Results of OnnxSession.trace(). */
export interface OnnxTrace {
  /** The outputs by name, as run() gives them. */
  readonly outputs: Readonly<Record<string, OnnxResult>>;
  /**
   * The trace of each LSTM node, by its name in `lstms`, in an object without a prototype. The values are [T, batch, hidden_size] whatever
   * the node's layout, and zeros after the end of a sequence; `forward` is the one direction of a node that only runs in reverse. In
   * the body of a Loop or Scan the number of the turn follows, as in `lstm[0]`; a name that comes again is `lstm (2)`.
   */
  readonly nodes: Readonly<Record<string, LayerTrace>>;
}

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
  /** Names of the inputs, and of those that nothing needs which this session computes. */
  private readonly _known: ReadonlySet<string>;
  /** Names of the inputs that are float16 in the file. */
  private readonly _halves: ReadonlySet<string>;
  private readonly _plans: Plans;
  /** Objects that calls keep; undefined while one runs. */
  private _call: Call | undefined;
  private readonly _constants: number;
  private readonly _steps: number;
  private readonly _resources: readonly Owned[];

  /** @internal */
  constructor(model: OnnxModel, fileBytes: number, asked: readonly string[] | undefined, int8: boolean) {
    super('onnx');
    const graph = inlineFunctions(model, fileBytes);
    const outputs = asked ? chooseOutputs(graph.outputs, asked) : graph.outputs;
    const needed = neededFor(
      graph,
      outputs.map(({ name }) => name),
    );
    const fed = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
    // an input that only other outputs need may be fed, and is not looked at
    const [used, spare] = asked ? partition(fed, ({ name }) => needed.names.has(name)) : [fed, []];
    this._known = new Set([...used, ...spare].map(({ name }) => name));
    this.inputs = used.map((info) => port(info, 'graph.input', graph.inputs));
    this._halves = new Set(graph.inputs.filter(({ type }) => type === 'float16').map(({ name }) => name));
    const compiler = new Compiler({ ...model, graph }, needed, fileBytes + moreOfBytes(graph), int8);
    try {
      const compiled = compiler.compile(
        { ...graph, outputs },
        this.inputs.map(({ name }) => name),
      );
      this.outputs = outputPorts(outputs, graph.outputs);
      this._plans = new Plans(compiled, compiler.slots, failAt);
      this._steps = countSteps(compiled);
    } catch (error) {
      for (const resource of compiler.resources) resource.dispose();
      throw error;
    }
    this._constants = compiler.constants;
    this._resources = compiler.resources;
    this.lstms = compiler.lstms;
  }

  /**
   * Runs the model, synchronously.
   * @param feeds every input by name, in an object or a Map
   * @returns the outputs by name: `options.out` if all of them are written there, else an object without a prototype
   * @throws TypeError or RangeError that names an option, or a feed that is missing, unknown, or of the wrong type or shape
   * @throws ModelError that names the node whose inputs do not fit each other, or that asks for absurd work
   * @throws Error after dispose()
   */
  run(feeds: OnnxFeeds, options?: RunOptions): Record<string, OnnxResult> {
    return this._run(feeds, options);
  }

  /**
   * Runs the model as run() does, and tells what its LSTM nodes do at each step. Nodes that a run does not need or take are not
   * there, nor those that were computed at load.
   * @returns the results of run(), and the traces by the names of nodes
   * @throws as run()
   * @example
   * ```js
   * import { readFileSync } from 'node:fs';
   * import { loadOnnx } from 'lstm-wasm/onnx';
   *
   * const session = loadOnnx(readFileSync('model.onnx'));
   * const { outputs, nodes } = session.trace({ X: { data: new Float32Array(126), dims: [7, 3, 6] } });
   * const { forward } = nodes.lstm; // the node's name, as session.lstms has it
   * console.log(outputs.Y.dims, forward.f.dims); // [ 7, 1, 3, 8 ] [ 7, 3, 8 ]
   * session.dispose();
   * ```
   */
  trace(feeds: OnnxFeeds, options?: RunOptions): OnnxTrace {
    const watch = new Watch();
    return { outputs: this._run(feeds, options, undefined, undefined, watch), nodes: watch.all() };
  }

  /**
   * Opens a stream: a model that keeps its states in linear memory, where outputs become inputs of the next run without copies by
   * the caller. Its states begin with zeros.
   * @param states names of outputs by the names of the inputs that they become: `{ state: 'stateN' }`
   * @throws TypeError or RangeError that names a state or option; RangeError if memory cannot grow
   */
  stream(states: Readonly<Record<string, string>>, options?: OnnxStreamOptions): OnnxStream {
    this.checkAlive();
    return new OnnxStream(this, states, options);
  }

  /** @internal */
  runStream(stream: OnnxStream, feeds: OnnxFeeds, options: RunOptions | undefined): Record<string, OnnxResult> {
    return this._run(feeds, options, stream);
  }

  /** run() for another API, whose errors call an `out` by `word`. @internal */
  runAs(word: string, feeds: OnnxFeeds, options: RunOptions): Record<string, OnnxResult> {
    return this._run(feeds, options, undefined, word);
  }

  private _run(
    feeds: OnnxFeeds,
    options: RunOptions | undefined,
    stream?: OnnxStream,
    word = 'out',
    watch?: Watch,
  ): Record<string, OnnxResult> {
    this.checkAlive();
    // a getter of the caller's may run the model again
    const call = this._call ?? new Call(this.inputs, this.outputs);
    this._call = undefined;
    try {
      call.stream = stream;
      stream?.fill(call.feeds);
      readFeeds(this.inputs, this._halves, this._known, feeds, call.feeds);
      call.results.read(word, options, stream?.places);
      this.checkAlive();
      stream?.checkAlive();
      checkLengths(this.inputs, call.feeds);
      const values = this._plans.run(call.feeds, call.results.places, this._limits, call, watch);
      const results = call.results.write(values);
      stream?.take(call.results, values);
      return results;
    } finally {
      call.clear();
      this._call = call;
      endScratch();
    }
  }

  /** Bounds what a plan for these feeds may ask for. */
  private readonly _limits = (feeds: readonly Feed[]): Work => {
    const fed = feeds.reduce((sum, { count }) => sum + count, 1);
    const elements = Math.min(this._constants, MOST_ELEMENTS) + ELEMENTS_PER_STEP * this._steps;
    const steps = STEPS + fed / 4 + STEPS_PER_NODE * this._steps;
    return new Work(
      onnxRefusal,
      ELEMENTS + fed * elements,
      MULTIPLICATIONS + fed * 4 * this._constants,
      refuseWork,
      steps,
    );
  };

  protected override free(): void {
    this._plans.dispose();
    for (const resource of this._resources) resource.dispose();
  }
}

/** Keeps objects from one run to the next. */
class Call {
  readonly feeds: ReadFeed[];
  readonly results: Results;

  stream: OnnxStream | undefined;

  constructor(inputs: readonly OnnxPort[], outputs: readonly OnnxPort[]) {
    this.feeds = feedsOf(inputs);
    this.results = new Results(outputs);
  }

  /** Checks the outputs' dims before the last step. */
  check(values: readonly Value[]): void {
    this.results.check(values);
    this.stream?.check(this.results, values);
  }

  /** Lets go of the caller's objects. */
  clear(): void {
    dropFeeds(this.feeds);
    this.results.clear();
    this.stream = undefined;
  }
}

/** @throws ModelError that tells the first fault of the model, or lists every unsupported operator */
export function createSession(
  file: Uint8Array,
  external: ExternalFiles,
  outputs: readonly string[] | undefined,
  int8: boolean,
): OnnxSession {
  return new OnnxSession(readModel(file, external), file.length + external.bytes, outputs, int8);
}

/** The bytes that a file would have more if its 8-bit weights were float32, which DequantizeLinear makes of them. */
function moreOfBytes({ initializers }: OnnxGraph): number {
  let bytes = 0;
  for (const { type, dims } of initializers.values()) if (/^u?int8$/.test(type)) bytes += 3 * product(dims);
  return bytes;
}

/** The outputs with these names, each once, in the file's order. */
function chooseOutputs(outputs: readonly OnnxValueInfo[], names: readonly string[]): OnnxValueInfo[] {
  const known = new Set(outputs.map(({ name }) => name));
  const asked = new Set(names);
  for (const name of asked) {
    if (!known.has(name)) {
      throw wrongValue('loadOnnx', 'outputs', outputs.map((output) => describe(output.name)).join(', '), name);
    }
  }
  return outputs.filter(({ name }) => asked.has(name));
}

function partition<T>(list: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [list.filter(test), list.filter((item) => !test(item))];
}

function port(info: OnnxValueInfo, path: string, all: readonly OnnxValueInfo[]): OnnxPort {
  const { name, type, dims } = info;
  const computed = type === undefined ? undefined : computedType(type);
  if (!computed) {
    const place = `${path}[${all.indexOf(info)}]`;
    return refuse(
      'unsupported',
      place,
      `type of ${describe(name)}`,
      'float32, int64, int32, int8, uint8 or bool',
      type,
    );
  }
  return { name, type: computed, dims };
}

function outputPorts(outputs: readonly OnnxValueInfo[], all: readonly OnnxValueInfo[]): OnnxPort[] {
  if (outputs.length === 0) refuseMissing('graph.output', 'an output', 0);
  const names = new Set<string>();
  return outputs.map((info) => {
    if (names.has(info.name)) refuseTwice(`graph.output[${all.indexOf(info)}]`, 'name', info.name);
    names.add(info.name);
    return port(info, 'graph.output', all);
  });
}

function countSteps({ steps }: Graph): number {
  let count = 0;
  for (const { branches } of steps) count += 1 + (branches?.reduce((sum, plan) => sum + countSteps(plan), 0) ?? 0);
  return count;
}

function refuseWork(path: string): never {
  const text = 'the run expected work in proportion to its inputs and weights, got more: a size in the model is absurd';
  return refuseBecause('too-large', path, text, 'less work', 'more');
}

/** Turns an error of linear memory that cannot grow into one that names the node. */
function failAt(error: unknown, path: string): never {
  const isMemory = error instanceof RangeError && !(error instanceof ModelError);
  if (!isMemory || !/^lstm-wasm|allocation|length/i.test(error.message)) throw error;
  return refuseBecause('no-memory', path, error.message, 'less memory', 'more');
}
