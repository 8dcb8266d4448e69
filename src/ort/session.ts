import { checkInteger, describe, tag, wrongType, wrongValue } from '../base/tensor.ts';
import { checkFile } from '../files/bytes.ts';
import {
  loadOnnx,
  type OnnxFeed,
  type OnnxPort,
  type OnnxResult,
  type OnnxSession,
  type RunOptions,
  type WasmModule,
} from '../onnx.ts';
import type { UrlLike } from './env.ts';
import { type ExternalDataFileDescription, readExternalData } from './external-data.ts';
import { open } from './open.ts';
import { type OnnxValue, Tensor } from './tensor.ts';

type Targets = NonNullable<RunOptions['out']>;

const CREATE = 'InferenceSession.create';

export declare namespace InferenceSession {
  /**
   * Options of create(). Only `kernels`, `externalData` and `quantize` have an effect: there is one way to run a model.
   * https://onnxruntime.ai/docs/api/js/interfaces/InferenceSession.SessionOptions.html
   */
  interface SessionOptions {
    /** The compiled `lstm-wasm/lstm-onnx.wasm`, for runtimes that forbid compiling bytes, as in loadOnnx(). */
    kernels?: WasmModule;
    /** The files beside the model in which its weights lie. */
    externalData?: readonly ExternalDataFileDescription[];
    /** Bits of a weight; only 8, as in loadOnnx(). Default: weights stay float32. */
    quantize?: 8;
    /** Ignored: models run on the CPU. */
    executionProviders?: readonly ExecutionProviderConfig[];
    /** Ignored. */
    graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
    /** Ignored: nodes run one after the other. */
    executionMode?: 'sequential' | 'parallel';
    /** Ignored. */
    enableCpuMemArena?: boolean;
    /** Ignored. */
    enableMemPattern?: boolean;
    /** Ignored: there is one thread. */
    intraOpNumThreads?: number;
    /** Ignored: there is one thread. */
    interOpNumThreads?: number;
    /** Ignored: nothing is logged. */
    logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
    [name: string]: unknown;
  }
  /** The name of an execution provider, or an object with it. */
  type ExecutionProviderConfig = string | { readonly name: string };
  /** Options of run(); none has an effect. */
  interface RunOptions {
    /** Ignored: nothing is logged. */
    logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
    /** Ignored: nothing is logged. */
    logVerbosityLevel?: number;
    /** Ignored: a run ends before run() returns. */
    terminate?: boolean;
    /** Ignored. */
    tag?: string;
    /** Ignored. */
    extra?: Record<string, unknown>;
  }
  /** Tensors by name. */
  type OnnxValueMapType = { readonly [name: string]: OnnxValue };
  /** Tensors by name, or null for one that run() is to make. */
  type NullableOnnxValueMapType = { readonly [name: string]: OnnxValue | null };
  /** The inputs by name: Tensors, or any objects with `data` and `dims`. */
  type FeedsType = { readonly [name: string]: OnnxFeed };
  /** The outputs to return: their names, or an object with a tensor to write each into, or null. */
  type FetchesType = readonly string[] | NullableOnnxValueMapType;
  /** The outputs by name. */
  type ReturnType = OnnxValueMapType;
  /** Describes an input or output. */
  interface TensorValueMetadata {
    /** The name in the model. */
    readonly name: string;
    /** true: inputs and outputs are tensors. */
    readonly isTensor: true;
    /** The type of its tensor; where the file says float16, bfloat16 or float64 it is 'float32'. */
    readonly type: Tensor.Type;
    /** A number is a size, a string the name of a symbolic size ('' without a name). */
    readonly shape: readonly (number | string)[];
  }
  /** Describes an input or output. */
  type ValueMetadata = TensorValueMetadata;
}

/**
 * A model that is ready to run, with the API of onnxruntime-web:
 * https://onnxruntime.ai/docs/api/js/interfaces/InferenceSession.html
 */
export interface InferenceSession {
  /** The names of the inputs to feed, in the model's order. */
  readonly inputNames: readonly string[];
  /** The names of the outputs, in the model's order. */
  readonly outputNames: readonly string[];
  /** The types and shapes of the inputs, in the order of inputNames. */
  readonly inputMetadata: readonly InferenceSession.ValueMetadata[];
  /** The types and shapes of the outputs, in the order of outputNames. */
  readonly outputMetadata: readonly InferenceSession.ValueMetadata[];
  /**
   * Runs the model before it returns the promise: feeds may be changed afterwards.
   * @returns the outputs by name: all of them, or those that `fetches` asks for
   * @throws (the promise) TypeError or RangeError that names the feed or fetch; ModelError that names the node whose inputs do
   * not fit each other; Error after release()
   */
  run(feeds: InferenceSession.FeedsType, options?: InferenceSession.RunOptions): Promise<InferenceSession.ReturnType>;
  run(
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.FetchesType,
    options?: InferenceSession.RunOptions,
  ): Promise<InferenceSession.ReturnType>;
  /** Frees the memory of the weights. A second call does nothing. */
  release(): Promise<void>;
  /** Does nothing. */
  startProfiling(): void;
  /** Does nothing. */
  endProfiling(): void;
}

/** Creates sessions: the type of the value `InferenceSession`. */
export interface InferenceSessionFactory {
  /**
   * Loads a model from a file: opens or fetches it. A path that is written in a model is never opened.
   * @param uri an address that `fetch` takes; in Node, Deno and Bun a path or `file:` URL too
   * @throws (the promise) ModelError if the file is damaged or has an unsupported operator, as loadOnnx(); TypeError or
   * RangeError for arguments; Error if it cannot be opened or fetched
   */
  create(uri: string | UrlLike, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  /**
   * Loads a model from its bytes.
   * @param buffer the file
   * @throws (the promise) as with an address
   */
  create(buffer: ArrayBufferLike | Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  /**
   * Loads a model from a part of a buffer: `byteLength` bytes from `byteOffset` on.
   * @param buffer has the file
   * @throws (the promise) as with an address
   */
  create(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength?: number,
    options?: InferenceSession.SessionOptions,
  ): Promise<InferenceSession>;
}

/** The interface InferenceSession: inside the class below, that name is the class. */
type Session = InferenceSession;

/**
 * Creates sessions from models, with `InferenceSession.create()`.
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: InferenceSession.create('model.onnx')
 * import { InferenceSession, Tensor } from 'lstm-wasm/ort';
 *
 * const session = await InferenceSession.create(readFileSync('model.onnx'));
 * console.log(session.inputMetadata); // [ { name: 'X', isTensor: true, type: 'float32', shape: [ 7, 3, 6 ] } ]
 * const { Y_h } = await session.run({ X: new Tensor('float32', new Float32Array(126), [7, 3, 6]) }, ['Y_h']);
 * console.log(Y_h.dims, Y_h.size); // [ 1, 3, 8 ] 24
 * await session.release();
 * ```
 */
export const InferenceSession: InferenceSessionFactory = class InferenceSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly InferenceSession.ValueMetadata[];
  readonly outputMetadata: readonly InferenceSession.ValueMetadata[];
  private readonly _scalars: readonly string[];
  private _session: OnnxSession | undefined;

  /** @internal */
  constructor(session: OnnxSession) {
    this._session = session;
    this.inputNames = session.inputs.map(({ name }) => name);
    this.outputNames = session.outputs.map(({ name }) => name);
    this.inputMetadata = session.inputs.map(metadata);
    this.outputMetadata = session.outputs.map(metadata);
    this._scalars = session.inputs.filter(({ dims }) => dims?.length === 0).map(({ name }) => name);
  }

  static async create(source: unknown, ...rest: unknown[]): Promise<Session> {
    const isBuffer = ['ArrayBuffer', 'SharedArrayBuffer'].includes(tag(source));
    const [byteOffset, byteLength] = isBuffer && typeof rest[0] === 'number' ? rest.splice(0, 2) : [];
    checkObject(CREATE, 'options', rest[0]);
    const isUrl = typeof source === 'string' || tag(source) === 'URL';
    const bytes = isUrl ? await open(String(source)) : part(source, byteOffset, byteLength);
    const { kernels, externalData: list, quantize } = Object(rest[0]);
    const externalData = readExternalData(CREATE, list);
    return new InferenceSession(loadOnnx(checkFile(CREATE, bytes), { kernels, externalData, quantize }));
  }

  async run(feeds: unknown, fetchesOrOptions?: unknown, options?: unknown): Promise<InferenceSession.ReturnType> {
    const session = this._session;
    if (!session) throw new Error('InferenceSession: used after release()');
    const fetches = readFetches(this.outputNames, fetchesOrOptions);
    checkObject('run', 'options', options);
    const given = [...fetches].filter((entry): entry is [string, Tensor] => entry[1] !== null);
    // the tensors' own properties are read here: those of a float16 model's caller may be of another type
    const out = Object.fromEntries(given.map(([name, { type, data, dims }]) => [name, { type, data, dims }]));
    const results = session.runAs('fetch', this._readFeeds(feeds), {
      outputs: [...fetches.keys()],
      out: out as Targets,
    });
    // makes each name an own property, even '__proto__'
    return Object.fromEntries([...fetches].map(([name, tensor]) => [name, tensor ?? toTensor(results[name]!)]));
  }

  async release(): Promise<void> {
    this._session?.dispose();
    this._session = undefined;
  }

  startProfiling(): void {}

  endProfiling(): void {}

  /** Feeds for OnnxSession.run(). Refuses tensors on a GPU or disposed of; a scalar may have dims [1], as in ONNX Runtime. */
  private _readFeeds(feeds: unknown): Map<string, OnnxFeed> {
    if (tag(feeds) !== 'Object') throw wrongType('run', 'feeds', 'an object of tensors by name', feeds);
    const all = new Map(Object.entries(feeds as Record<string, OnnxFeed>));
    for (const [name, feed] of all) {
      const { location = 'cpu' } = Object(feed);
      if (location === 'none') throw new TypeError(`run: feed ${describe(name)} is a tensor after dispose()`);
      if (!['cpu', 'cpu-pinned'].includes(location)) {
        throw wrongType('run', `feed ${name}.location`, "'cpu'", location);
      }
    }
    for (const name of this._scalars) {
      const feed = all.get(name);
      if (feed?.data?.length === 1) all.set(name, { data: feed.data, dims: [], type: feed.type });
    }
    return all;
  }
};

function metadata({ name, type, dims }: OnnxPort): InferenceSession.ValueMetadata {
  return { name, isTensor: true, type, shape: dims ?? [] };
}

function checkObject(who: string, what: string, value: unknown): void {
  if (value !== undefined && (value === null || typeof value !== 'object'))
    throw wrongType(who, what, 'an object', value);
}

/** The part of a buffer that the arguments ask for; a copy if its memory is shared. */
function part(source: unknown, byteOffset: unknown, byteLength: unknown): unknown {
  if (tag(source) === 'Uint8Array' && tag((source as Uint8Array).buffer) === 'SharedArrayBuffer') {
    return (source as Uint8Array).slice();
  }
  const isShared = tag(source) === 'SharedArrayBuffer';
  if (byteOffset === undefined && !isShared) return source;
  const buffer = source as ArrayBufferLike;
  const offset = checkInteger(CREATE, 'byteOffset', byteOffset ?? 0, 0, buffer.byteLength);
  const rest = buffer.byteLength - offset;
  const view = new Uint8Array(buffer, offset, checkInteger(CREATE, 'byteLength', byteLength ?? rest, 0, rest));
  return isShared ? view.slice() : view;
}

/** The outputs to return, in the caller's order or else the model's, each with the tensor to write it into, or null. */
function readFetches(outputNames: readonly string[], fetches: unknown): Map<string, Tensor | null> {
  if (Array.isArray(fetches)) {
    if (fetches.length === 0) throw wrongType('run', 'fetches', 'at least one name', fetches);
    for (const name of fetches) checkFetchName(outputNames, name);
    return new Map(fetches.map((name) => [name, null]));
  }
  if (fetches instanceof Tensor) throw wrongType('run', 'fetches', 'names, or an object of tensors by name', fetches);
  checkObject('run', 'fetches', fetches);
  const entries = Object.entries(Object(fetches ?? {}));
  // an object without the name of an output is the options
  if (!entries.some(([name]) => outputNames.includes(name))) return new Map(outputNames.map((name) => [name, null]));
  for (const [name, tensor] of entries) {
    checkFetchName(outputNames, name);
    if (tensor === null) continue;
    if (!(tensor instanceof Tensor)) throw wrongType('run', `fetch ${name}`, 'a Tensor or null', tensor);
    if (tensor.location === 'none') throw new TypeError(`run: fetch ${describe(name)} is a tensor after dispose()`);
  }
  return new Map(entries as [string, Tensor | null][]);
}

function checkFetchName(outputNames: readonly string[], name: unknown): void {
  if (typeof name !== 'string') throw wrongType('run', 'fetches', 'names of outputs', name);
  if (!outputNames.includes(name)) throw wrongValue('run', 'fetches', outputNames.map(describe).join(', '), name);
}

function toTensor({ type, data, dims }: OnnxResult): Tensor {
  return new Tensor(type, data, dims);
}
