import { Calls } from '../../kit/worker.ts';
import type { NoiseFunctions } from './noise.worker.ts';
import { DELAY, type NoisePart, RATE } from './pair.ts';

/** Samples of a part that the worker gets at once, and parts that wait there. */
const LENGTH = 2 * RATE;
const WAITING = 2;

let calls: Calls<NoiseFunctions> | undefined;

function worker(): Calls<NoiseFunctions> {
  calls ??= new Calls(new Worker(new URL('./noise.worker.ts', import.meta.url), { type: 'module' }));
  return calls;
}

/** Fetches the model, unless it is there. @returns its bytes on the wire */
export function loadModel(news: (bytes: { come: number; all: number }) => void): Promise<number> {
  return worker().call('load', [new URL('built/dtln.safetensors', document.baseURI).href], news);
}

/** Draws two sounds that are there already. */
export function draw(noisy: Float32Array, cleaned: Float32Array): Promise<NoisePart> {
  return worker().call('draw', [noisy, cleaned]);
}

/** A sound on its way through the network. */
export interface Cleaning {
  clean(samples: Float32Array): Promise<NoisePart>;
  end(): Promise<void>;
}

export async function begin(rate: number): Promise<Cleaning> {
  const id = await worker().call('begin', [rate]);
  return {
    clean: (samples) => worker().call('clean', [id, samples], undefined, [samples.buffer]),
    end: () => worker().call('end', [id]),
  };
}

/** Cleans a whole sound, part by part; silence behind it brings its end out. @param samples at RATE */
export async function cleanAll(
  samples: Float32Array,
  onPart: (part: NoisePart) => void,
  signal: AbortSignal,
): Promise<void> {
  const cleaning = await begin(RATE);
  const waiting: Promise<NoisePart>[] = [];
  // whole blocks
  const end = Math.ceil(samples.length / DELAY) * DELAY + DELAY;
  for (let at = 0; at < end || waiting.length; ) {
    for (; at < end && waiting.length < WAITING; at += LENGTH) {
      const part = new Float32Array(Math.min(LENGTH, end - at));
      part.set(samples.subarray(at, at + part.length));
      waiting.push(cleaning.clean(part));
    }
    const part = await waiting.shift()!;
    if (signal.aborted) break;
    onPart(part);
  }
  await cleaning.end();
}
