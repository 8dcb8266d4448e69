import { checkInteger, describe, sameDims, tag, wrongType, wrongValue } from '../base/tensor.ts';
import { checkFile } from '../files/bytes.ts';
import { loadOnnx, type OnnxFeed, type OnnxPort, type OnnxResult, type OnnxSession } from '../onnx.ts';
import { type OnnxValue, Tensor } from './tensor.ts';

const CREATE = 'InferenceSession.create';

export declare namespace InferenceSession {
  /** Accepted, without effect but for `kernels`: there is one way to run a model. */
  interface SessionOptions {
    /** As loadOnnx has it: the compiled `lstm-wasm/lstm-onnx.wasm`, where a runtime forbids compiling bytes. */
    kernels?: WebAssembly.Module;
    executionProviders?: readonly ExecutionProviderConfig[];
    graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
    executionMode?: 'sequential' | 'parallel';
    enableCpuMemArena?: boolean;
    enableMemPattern?: boolean;
    intraOpNumThreads?: number;
    interOpNumThreads?: number;
    logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
    [name: string]: unknown;
  }
  type ExecutionProviderConfig = string | { readonly name: string };
  /** Accepted, without effect. */
  interface RunOptions {
    logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
    logVerbosityLevel?: number;
    terminate?: boolean;
    tag?: string;
    extra?: Record<string, unknown>;
  }
  type OnnxValueMapType = { readonly [name: string]: OnnxValue };
  type NullableOnnxValueMapType = { readonly [name: string]: OnnxValue | null };
  /** Tensors of any maker: what has data and dims. */
  type FeedsType = { readonly [name: string]: OnnxFeed };
  /** The outputs that are wanted; a tensor is written into. */
  type FetchesType = readonly string[] | NullableOnnxValueMapType;
  type ReturnType = OnnxValueMapType;
  interface TensorValueMetadata {
    readonly name: string;
    readonly isTensor: true;
    readonly type: Tensor.Type;
    /** Sizes, or the names of symbolic ones, '' for one without a name. */
    readonly shape: readonly (number | string)[];
  }
  type ValueMetadata = TensorValueMetadata;
}

export interface InferenceSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly InferenceSession.ValueMetadata[];
  readonly outputMetadata: readonly InferenceSession.ValueMetadata[];
  /**
   * Runs the model, at once: feeds are read before it returns.
   * @throws (the promise) TypeError or RangeError that names the feed or fetch; ModelError that names the node where shapes
   * do not fit each other; Error after release()
   */
  run(feeds: InferenceSession.FeedsType, options?: InferenceSession.RunOptions): Promise<InferenceSession.ReturnType>;
  run(
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.FetchesType,
    options?: InferenceSession.RunOptions,
  ): Promise<InferenceSession.ReturnType>;
  /** Gives the memory of the weights back. A second call does nothing. */
  release(): Promise<void>;
  /** Does nothing. */
  startProfiling(): void;
  /** Does nothing. */
  endProfiling(): void;
}

export interface InferenceSessionFactory {
  /**
   * Loads a model, from its bytes or from where they are fetched.
   * @throws (the promise) ModelError where the file is damaged or not supported, as loadOnnx; TypeError or RangeError for
   * arguments; Error where it cannot be fetched
   */
  create(uri: string | URL, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  create(buffer: ArrayBufferLike | Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  create(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength?: number,
    options?: InferenceSession.SessionOptions,
  ): Promise<InferenceSession>;
}

class OnnxInferenceSession implements InferenceSession {
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

  static async create(source: unknown, ...rest: unknown[]): Promise<InferenceSession> {
    const isBuffer = ['ArrayBuffer', 'SharedArrayBuffer'].includes(tag(source));
    const [byteOffset, byteLength] = isBuffer && typeof rest[0] === 'number' ? rest.splice(0, 2) : [];
    checkObject(CREATE, 'options', rest[0]);
    const isUrl = typeof source === 'string' || tag(source) === 'URL';
    const bytes = isUrl ? await download(String(source)) : part(source, byteOffset, byteLength);
    const { kernels } = Object(rest[0]);
    return new OnnxInferenceSession(loadOnnx(checkFile(CREATE, bytes), { kernels }));
  }

  async run(feeds: unknown, fetchesOrOptions?: unknown, options?: unknown): Promise<InferenceSession.ReturnType> {
    const session = this._session;
    if (!session) throw new Error('InferenceSession: used after release()');
    const fetches = readFetches(this.outputNames, fetchesOrOptions);
    checkObject('run', 'options', options);
    const results = session.run(this._readFeeds(feeds));
    for (const [name, tensor] of fetches) if (tensor) checkFetch(name, tensor, results[name]!);
    // an own property each, '__proto__' too
    return Object.fromEntries([...fetches].map(([name, tensor]) => [name, toTensor(results[name]!, tensor)]));
  }

  async release(): Promise<void> {
    this._session?.dispose();
    this._session = undefined;
  }

  startProfiling(): void {}

  endProfiling(): void {}

  /** As loadOnnx takes them: what is on a GPU or disposed of is refused, and a scalar may have dims [1], as in ONNX Runtime. */
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
}
Object.defineProperty(OnnxInferenceSession, 'name', { value: 'InferenceSession' });

export const InferenceSession: InferenceSessionFactory = OnnxInferenceSession;

function metadata({ name, type, dims }: OnnxPort): InferenceSession.ValueMetadata {
  return { name, isTensor: true, type, shape: dims ?? [] };
}

function checkObject(who: string, what: string, value: unknown): void {
  if (value !== undefined && (value === null || typeof value !== 'object'))
    throw wrongType(who, what, 'an object', value);
}

/** What is given of a buffer; a copy of shared memory. */
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

async function download(uri: string): Promise<Uint8Array> {
  try {
    const response = await fetch(uri);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `${describe(uri)} cannot be fetched here (${why}); of a file that is only a path, give the bytes`;
    throw new Error(`${CREATE}: ${text}`, { cause });
  }
}

/** The outputs that are wanted, in the model's order or the caller's, each with the tensor to write it into, if any. */
function readFetches(outputNames: readonly string[], fetches: unknown): Map<string, Tensor | null> {
  if (Array.isArray(fetches)) {
    if (fetches.length === 0) throw wrongType('run', 'fetches', 'at least one name', fetches);
    for (const name of fetches) checkFetchName(outputNames, name);
    return new Map(fetches.map((name) => [name, null]));
  }
  if (fetches instanceof Tensor) throw wrongType('run', 'fetches', 'names, or an object of tensors by name', fetches);
  checkObject('run', 'fetches', fetches);
  const entries = Object.entries(Object(fetches ?? {}));
  // an object without any output's name is the options
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

function checkFetch(name: string, tensor: Tensor, { type, dims }: OnnxResult): void {
  if (tensor.type !== type) throw wrongType('run', `fetch ${name}.type`, type, tensor.type);
  if (!sameDims(tensor.dims, dims)) throw wrongValue('run', `fetch ${name}.dims`, describe(dims), tensor.dims);
}

function toTensor({ type, data, dims }: OnnxResult, into: Tensor | null): Tensor {
  if (!into) return new Tensor(type, data, dims);
  (into.data as Float32Array).set(data as Float32Array);
  return into;
}
