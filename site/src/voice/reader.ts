import { Calls } from '../kit/worker.ts';
import { type Loaded, type ModelName, type Part, RATE, STEP } from './parts.ts';
import type { VoiceFunctions } from './voice.worker.ts';

/** Steps of a part that the worker gets at once, and parts that wait there, so that it never idles and stops soon. */
const STEPS = 64;
const WAITING = 2;

let calls: Calls<VoiceFunctions> | undefined;

/** One worker for all panels that listen for speech. */
function worker(): Calls<VoiceFunctions> {
  calls ??= new Calls(
    new Worker(new URL('./voice.worker.ts', import.meta.url), {
      type: 'module',
      name: new URL('.', document.baseURI).href,
    }),
  );
  return calls;
}

/** Fetches a model, unless it is there. @param news hears how many bytes have come */
export function loadModel(name: ModelName, news: (bytes: { come: number; all: number }) => void): Promise<Loaded> {
  return worker().call('load', [name, new URL('built/', document.baseURI).href], news);
}

/** A sound on its way through the model. */
export interface Hearing {
  /** Hands samples on, in parts of any length; what comes back has whole steps. */
  hear(samples: Float32Array): Promise<Part>;
  /** Ends it. @returns units in the order of their effect */
  end(): Promise<Uint8Array>;
}

export async function hear(model: ModelName, rate: number): Promise<Hearing> {
  const id = await worker().call('begin', [model, rate]);
  return {
    hear: (samples) => worker().call('hear', [id, samples], undefined, [samples.buffer]),
    end: () => worker().call('end', [id]),
  };
}

/**
 * Hears a whole sound, part by part.
 * @param samples at RATE
 * @param onPart hears what came of each part, in order
 * @returns units in the order of their effect; undefined if `signal` ended it
 */
export async function hearAll(
  model: ModelName,
  samples: Float32Array,
  onPart: (part: Part) => void,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const hearing = await hear(model, RATE);
  const length = STEPS * STEP * RATE;
  const waiting: Promise<Part>[] = [];
  for (let at = 0; at < samples.length || waiting.length; ) {
    for (; at < samples.length && waiting.length < WAITING; at += length) {
      waiting.push(hearing.hear(samples.slice(at, at + length)));
    }
    const part = await waiting.shift()!;
    if (signal.aborted) break;
    onPart(part);
  }
  const order = await hearing.end();
  return signal.aborted ? undefined : order;
}
