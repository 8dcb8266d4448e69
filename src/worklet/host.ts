import { checkBoolean, checkInteger, describe, wrongNumber, wrongType, wrongValue } from '../base/tensor.ts';
import type { Effect } from './effect.ts';
import {
  type FromProcessor,
  knobName,
  MAX_KNOBS,
  PROTOCOL,
  type StartOptions,
  type ToProcessor,
  WHO,
} from './messages.ts';
import { Meter } from './meter.ts';
import { Player } from './player.ts';
import { sendError } from './sent-error.ts';
import { Voice } from './source.ts';

const TYPES: readonly ToProcessor['type'][] = ['load', 'bypass', 'reset', 'measure', 'dispose'];

/** Rates that a resampler is made for. */
const [LOWEST, HIGHEST] = [1000, 768_000];

/** Makes the effect of one channel from what the page sent. @throws if it cannot */
export type MakeEffect = (model: unknown) => Effect;

/** The part of a MessagePort that is used. */
export interface Port {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: FromProcessor): void;
}

/** Does the work of a processor, apart from the class that a worklet has for it. Errors become messages. */
export class Host {
  private readonly _port: Port;
  private readonly _rate: number;
  private readonly _make: MakeEffect;
  private readonly _meter: Meter;
  private _channels = 1;
  private _knobs = new Float32Array(0);
  private _names: readonly string[] = [];
  private _player: Player | undefined;
  private _isOver = false;

  /**
   * @param rate the context's, in Hz
   * @param options StartOptions, as a message of a page has them
   */
  constructor(port: Port, rate: number, make: MakeEffect, options: unknown) {
    this._port = port;
    this._rate = rate;
    this._make = make;
    this._meter = new Meter(rate);
    try {
      this._start(Object(options));
      port.postMessage({ type: 'ready', latency: this._player!.latency });
    } catch (error) {
      this._isOver = true;
      port.postMessage({ type: 'failed', error: sendError(error) });
    }
    port.onmessage = ({ data }) => this._receive(data as ToProcessor);
  }

  /**
   * Plays a block. Allocates nothing.
   * @param parameters the values of the AudioParams, by name
   * @returns whether the processor goes on
   */
  process(
    input: readonly Float32Array[],
    output: readonly Float32Array[],
    parameters: Readonly<Record<string, Float32Array>>,
  ): boolean {
    if (this._isOver || !this._player || output.length === 0) return !this._isOver;
    const isMeasured = this._meter.isOn;
    if (isMeasured) this._meter.start();
    for (let k = 0; k < this._knobs.length; k++) this._knobs[k] = parameters[this._names[k]!]![0]!;
    try {
      this._player.play(input, output, this._knobs);
    } catch (error) {
      this._fail(error);
      this._player.play(input, output, this._knobs);
    }
    if (isMeasured) this._meter.stop(output[0]!.length);
    return true;
  }

  private _fail(error: unknown): void {
    this._player!.fail();
    const { name, message, ...details } = sendError(error);
    const text = `${WHO}: the model has failed, and its input is passed on: ${message}`;
    this._port.postMessage({ type: 'error', error: { name, message: text, ...details } });
  }

  private _start(options: Partial<StartOptions>): void {
    const { protocol, model, channels, knobs, fade, bypass } = options;
    if (protocol !== PROTOCOL) {
      const text = 'the processor is of another version of lstm-wasm than the page: load both from one';
      throw new TypeError(`${WHO}: ${text}`);
    }
    this._channels = checkInteger(WHO, 'channels', channels, 1, 32);
    this._knobs = new Float32Array(checkInteger(WHO, 'knobs', knobs, 0, MAX_KNOBS));
    this._names = Array.from(this._knobs, (_, k) => knobName(k));
    if (!(typeof fade === 'number' && fade >= 0 && fade <= 10)) {
      throw wrongNumber(WHO, 'fade', 'seconds from 0 to 10', fade);
    }
    checkBoolean(WHO, 'bypass', bypass);
    this._player = new Player(this._voice(model), this._channels, fade * this._rate, bypass as boolean);
  }

  /** Makes a model, an effect for each channel. */
  private _voice(model: unknown): Voice {
    const effects: Effect[] = [];
    try {
      while (effects.length < this._channels) effects.push(checkEffect(this._make(model), this._knobs.length));
      return new Voice(effects, this._rate);
    } catch (error) {
      for (const effect of effects) effect.dispose();
      throw error;
    }
  }

  private _receive(message: ToProcessor): void {
    if (this._isOver) return;
    try {
      this._obey(message);
    } catch (error) {
      this._port.postMessage({ type: 'error', error: sendError(error) });
    }
  }

  private _obey(message: ToProcessor): void {
    const player = this._player!;
    switch (Object(message).type as ToProcessor['type']) {
      case 'load': {
        const { id, model } = message as Extract<ToProcessor, { type: 'load' }>;
        try {
          player.load(this._voice(model));
          this._port.postMessage({ type: 'loaded', id, latency: player.latency });
        } catch (error) {
          this._port.postMessage({ type: 'refused', id, error: sendError(error) });
        }
        break;
      }
      case 'bypass':
        player.bypass(checkBoolean(WHO, 'bypass', (message as { on?: unknown }).on));
        break;
      case 'reset':
        player.reset();
        break;
      case 'measure': {
        const { id, on } = message as Extract<ToProcessor, { type: 'measure' }>;
        checkBoolean(WHO, 'message.on', on);
        const load = this._meter.end();
        if (on) this._meter.begin();
        this._port.postMessage({ type: 'measured', id, load });
        break;
      }
      case 'dispose':
        this._isOver = true;
        player.dispose();
        break;
      default:
        throw wrongType(WHO, 'message.type', TYPES.map(describe).join(' or '), Object(message).type);
    }
  }
}

/** Checks what an effect says of itself. @param most the knobs that the node has */
function checkEffect(effect: Effect, most: number): Effect {
  try {
    const { sampleRate, latency = 0, knobs = 0 } = effect;
    if (sampleRate !== undefined && !(sampleRate >= LOWEST && sampleRate <= HIGHEST)) {
      throw wrongValue(WHO, 'sampleRate', `a rate of a model from ${LOWEST} to ${HIGHEST} Hz`, sampleRate);
    }
    if (!(latency >= 0 && latency <= 10 * HIGHEST)) throw wrongValue(WHO, 'latency', 'samples from 0', latency);
    if (knobs > most) {
      const text = `the model has ${knobs} knobs, and the node ${most}: create it with { knobs: ${knobs} }`;
      throw new RangeError(`${WHO}: ${text}`);
    }
  } catch (error) {
    effect.dispose();
    throw error;
  }
  return effect;
}
