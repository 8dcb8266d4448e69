import { checkBoolean, checkOptions, wrongNumber } from '../base/tensor.ts';
import {
  type FromProcessor,
  knobName,
  type Load,
  PROCESSOR,
  PROTOCOL,
  processorName,
  type SentModel,
  type SentParts,
  type StartOptions,
  type ToProcessor,
  WHO,
} from './messages.ts';
import {
  checkContext,
  checkNodeOptions,
  checkRate,
  type LstmNodeLoadOptions,
  type LstmNodeOptions,
  readKnobs,
} from './node-options.ts';
import { addProcessor } from './processor-files.ts';
import { knobsOf, type LstmNodeModel, readModel } from './read-model.ts';
import { receiveError } from './sent-error.ts';

/** The port to the processor: its messages have types. */
export interface LstmNodePort extends MessagePort {
  postMessage(message: ToProcessor, transfer: Transferable[]): void;
  postMessage(message: ToProcessor, options?: StructuredSerializeOptions): void;
}

/** The events of an LstmNode, by their names. */
export interface LstmNodeEventMap extends AudioWorkletNodeEventMap {
  /** Something went wrong in the processor after create(): `error` is what, `message` its text. The input is passed on. */
  error: ErrorEvent;
}

interface Pending {
  readonly resolve: (message: FromProcessor) => void;
  readonly reject: (error: Error) => void;
}

/** Where there are no worklets, as on a server, the module can be imported all the same. */
const Base: typeof AudioWorkletNode = globalThis.AudioWorkletNode ?? class {};

/**
 * A model that plays in an AudioWorklet: an AudioNode with one input and one output.
 * @example
 * ```js
 * import { LstmNode } from 'lstm-wasm/worklet';
 *
 * async function play(context, source, file) {
 *   const amp = await LstmNode.create(context, await file.text(), {
 *     processorUrl: new URL('lstm-wasm/worklet-processor.js', import.meta.url),
 *   });
 *   amp.addEventListener('error', ({ message }) => console.error(message));
 *   source.connect(amp).connect(context.destination);
 *   return amp;
 * }
 * console.log(typeof play); // function
 * ```
 */
export class LstmNode extends Base {
  declare readonly port: LstmNodePort;
  /** The AudioParams of the model's knobs, in the order of its inputs after the signal. */
  readonly knobs: readonly AudioParam[];
  private readonly _isOwn: boolean;
  private readonly _pending = new Map<number, Pending>();
  private _calls = 0;
  private _latency = 0;
  private _bypass: boolean;
  private _isDisposed = false;

  /** @internal */
  constructor(context: BaseAudioContext, name: string, knobs: readonly number[], isOwn: boolean, start: StartOptions) {
    if (start?.protocol !== PROTOCOL) throw new TypeError(`${WHO}: it is made by LstmNode.create()`);
    const { channels } = start;
    super(context, processorName(name, knobs.length), {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [channels],
      channelCount: channels,
      channelCountMode: 'explicit',
      parameterData: Object.fromEntries(knobs.map((value, k) => [knobName(k), value])),
      processorOptions: start,
    });
    this.knobs = knobs.map((_, k) => this.parameters.get(knobName(k))!);
    this._isOwn = isOwn;
    this._bypass = start.bypass;
    this.port.onmessage = ({ data }: MessageEvent<FromProcessor>) => this._receive(data);
    this.addEventListener('processorerror', () => {
      this._tell(new Error(`${WHO}: the processor has stopped, with an error that the browser does not name`));
    });
  }

  /**
   * Makes a node that plays `model`: loads the processor into the context at the first call, and waits until the model is ready.
   * @param model what `processor` takes, if that is given
   * @throws ModelError that names the place in the model and what is wrong with it
   * @throws TypeError or RangeError that names the argument
   * @throws Error if the processor cannot be loaded or cannot run here
   */
  static async create(
    context: BaseAudioContext,
    model: LstmNodeModel,
    options: LstmNodeOptions = {},
  ): Promise<LstmNode> {
    const { processor, channels = 1, sampleRate, fade = 0.02, bypass = false } = checkNodeOptions(options);
    checkContext(context);
    const parts = processor === undefined ? await readModel(WHO, model, sampleRate) : model;
    const knobs = readKnobs(options.knobs, processor === undefined ? knobsOf(parts as SentParts) : 0);
    await addProcessor(context, options.processorUrl ?? new URL('./worklet-processor.js', import.meta.url));
    const start = { protocol: PROTOCOL, model: parts, channels, knobs: knobs.length, fade, bypass };
    const node = new LstmNode(context, processor ?? PROCESSOR, knobs, processor !== undefined, start);
    try {
      await node._answer(0);
    } catch (error) {
      node.dispose();
      throw error;
    }
    return node;
  }

  /** Seconds by which the output is late, once a fade that goes on is over. It changes with the model. */
  get latency(): number {
    return this._latency / this.context.sampleRate;
  }

  /** Whether the input is passed on in place of the model's output, as late as that. */
  get bypass(): boolean {
    return this._bypass;
  }
  set bypass(on: boolean) {
    this._post({ type: 'bypass', on: checkBoolean(WHO, 'bypass', on) });
    this._bypass = on;
  }

  /**
   * Fades to another model.
   * @throws ModelError, TypeError or RangeError as create() does, RangeError too if the model has more knobs than this node; the model
   *   before plays on then
   */
  async load(model: LstmNodeModel, options?: LstmNodeLoadOptions): Promise<void> {
    checkOptions(WHO, options, ['sampleRate']);
    const sampleRate = checkRate(options?.sampleRate);
    this._checkAlive();
    const parts: SentModel = this._isOwn ? model : await readModel(WHO, model, sampleRate);
    const answer = await this._ask((id) => ({ type: 'load', id, model: parts }));
    if (answer.type === 'loaded') this._latency = answer.latency;
  }

  /** Sends the model back to the state in which a session starts. */
  reset(): void {
    this._post({ type: 'reset' });
  }

  /**
   * Measures how long blocks take to compute.
   * @param during seconds to measure, or a function that returns when to stop: `() => context.startRendering()`
   */
  async measureLoad(during: number | (() => Promise<unknown>) = 1): Promise<Load> {
    if (typeof during !== 'function' && !(typeof during === 'number' && during >= 0 && during <= 3600)) {
      throw wrongNumber(WHO, 'during', 'seconds from 0 to 3600, or a function', during);
    }
    const measure = (on: boolean) => this._ask((id) => ({ type: 'measure', id, on }));
    const wait = async () =>
      typeof during === 'function' ? during() : new Promise((resolve) => setTimeout(resolve, 1000 * during));
    await measure(true);
    const [waited] = await Promise.allSettled([wait()]);
    const answer = await measure(false);
    if (waited.status === 'rejected') throw waited.reason;
    return (answer as Extract<FromProcessor, { type: 'measured' }>).load;
  }

  /** Disconnects the node, ends its processor and frees its memory. A second call does nothing; any other use afterwards throws an Error. */
  dispose(): void {
    if (this._isDisposed) return;
    this.port.postMessage({ type: 'dispose' });
    this._isDisposed = true;
    this.disconnect();
    for (const { reject } of this._pending.values()) reject(disposed());
    this._pending.clear();
  }

  /** Calls dispose(), for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  override addEventListener<K extends keyof LstmNodeEventMap>(
    type: K,
    listener: (this: LstmNode, event: LstmNodeEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  private _checkAlive(): void {
    if (this._isDisposed) throw disposed();
  }

  private _post(message: ToProcessor): void {
    this._checkAlive();
    this.port.postMessage(message);
  }

  /** Waits for an answer. Number 0 is that of the start. */
  private _answer(id: number): Promise<FromProcessor> {
    return new Promise((resolve, reject) => this._pending.set(id, { resolve, reject }));
  }

  private _ask(message: (id: number) => ToProcessor): Promise<FromProcessor> {
    const id = ++this._calls;
    this._post(message(id));
    return this._answer(id);
  }

  private _receive(message: FromProcessor): void {
    if (this._isDisposed) return;
    if (message.type === 'error') {
      this._tell(receiveError(message.error));
      return;
    }
    if (message.type === 'ready') this._latency = message.latency;
    const id = 'id' in message ? message.id : 0;
    const pending = this._pending.get(id);
    this._pending.delete(id);
    if ('error' in message) pending?.reject(receiveError(message.error));
    else pending?.resolve(message);
  }

  /** Tells an error: to create(), if that still waits, else by an event. */
  private _tell(error: Error): void {
    const start = this._pending.get(0);
    this._pending.delete(0);
    if (start) start.reject(error);
    else this.dispatchEvent(new ErrorEvent('error', { error, message: error.message }));
  }
}

const disposed = () => new Error(`${WHO}: used after dispose()`);
