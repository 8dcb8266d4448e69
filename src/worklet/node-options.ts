import { checkBoolean, checkInteger, checkOptions, wrongNumber, wrongType } from '../base/tensor.ts';
import { MAX_KNOBS, WHO } from './messages.ts';

/** Options of LstmNode.create(). */
export interface LstmNodeOptions {
  /**
   * Where `lstm-wasm/worklet-processor.js` is. Default: beside this module, which is right without a bundler and in those that follow
   * `new URL(..., import.meta.url)` into packages; `new URL('lstm-wasm/worklet-processor.js', import.meta.url)` in your own code is right in all.
   */
  readonly processorUrl?: string | URL | undefined;
  /** The name of a processor of your own, which registerEffect() of `lstm-wasm/worklet-scope` has registered. */
  readonly processor?: string | undefined;
  /** Channels, each of which the model plays alone. Default 1: what is connected is mixed to mono. */
  readonly channels?: number | undefined;
  /** The values of the model's knobs, or their number. Default: as many zeros as the model has knobs. */
  readonly knobs?: number | readonly number[] | undefined;
  /** The rate in Hz that the model was trained at, if its file does not say or is wrong. Default: what the file says, or the context's. */
  readonly sampleRate?: number | undefined;
  /** The seconds in which one sound turns into another, when a model or `bypass` is changed. Default 0.02. */
  readonly fade?: number | undefined;
  /** Whether it begins with its input passed on. Default false. */
  readonly bypass?: boolean | undefined;
}

const OPTIONS = ['processorUrl', 'processor', 'channels', 'knobs', 'sampleRate', 'fade', 'bypass'];

/** Options of load(). */
export interface LstmNodeLoadOptions {
  /** The rate in Hz that the model was trained at, as in create(). */
  readonly sampleRate?: number | undefined;
}

/** Checks options, but for `knobs`, which depend on the model, and `processorUrl`. */
export function checkNodeOptions(options: LstmNodeOptions): LstmNodeOptions {
  checkOptions(WHO, options, OPTIONS);
  const { processor, channels, sampleRate, fade, bypass } = options;
  if (processor !== undefined && typeof processor !== 'string') {
    throw wrongType(WHO, 'processor', 'a string', processor);
  }
  if (channels !== undefined) checkInteger(WHO, 'channels', channels, 1, 32);
  if (fade !== undefined && !(typeof fade === 'number' && fade >= 0 && fade <= 10)) {
    throw wrongNumber(WHO, 'fade', 'seconds from 0 to 10', fade);
  }
  if (bypass !== undefined) checkBoolean(WHO, 'bypass', bypass);
  checkRate(sampleRate);
  return options;
}

/** Checks a sample rate, if one is given, and returns it. */
export function checkRate(rate: unknown): number | undefined {
  if (rate === undefined || (typeof rate === 'number' && rate > 0 && rate < Infinity)) return rate;
  throw wrongNumber(WHO, 'sampleRate', 'a rate in Hz', rate);
}

/** Reads the values that the knobs begin with. @param needed the knobs of the model */
export function readKnobs(given: unknown, needed: number): number[] {
  const list: unknown = typeof given === 'number' ? Array.from({ length: Math.min(given, 100) }, () => 0) : given;
  if (list !== undefined && !Array.isArray(list)) throw wrongType(WHO, 'knobs', 'numbers, or their number', given);
  const values: unknown[] = list ?? Array.from({ length: Math.min(needed, 100) }, () => 0);
  const wrong = values.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)));
  if (wrong >= 0) throw wrongNumber(WHO, `knobs[${wrong}]`, 'a finite number', values[wrong]);
  if (values.length > MAX_KNOBS) throw new RangeError(`${WHO}: a node has at most ${MAX_KNOBS} knobs`);
  if (values.length < needed) {
    throw new RangeError(`${WHO}: "knobs" expected at least ${needed}, as the model has, got ${values.length}`);
  }
  return values as number[];
}

/** Checks a context that has worklets. */
export function checkContext(context: unknown): void {
  const { audioWorklet, sampleRate, state } = Object(context);
  if (sampleRate === undefined) throw wrongType(WHO, 'context', 'an AudioContext or OfflineAudioContext', context);
  if (state === 'closed') throw new TypeError(`${WHO}: "context" is closed: a node needs one that can play`);
  if (audioWorklet) return;
  throw new TypeError(`${WHO}: there is no AudioWorklet here: it needs a page from https: or localhost`);
}
