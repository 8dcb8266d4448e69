import { checkInteger, wrongType } from './base/tensor.ts';
import type { Effect } from './worklet/effect.ts';
import { registerProcessors } from './worklet/register.ts';

export type { Effect } from './worklet/effect.ts';

/**
 * Registers a processor of your own that an LstmNode plays, with all that a node has: stereo, bypass, knobs, fades, resampling. For the
 * worklet's side: call it in a file of yours that is bundled, and given to LstmNode.create() as `processorUrl`.
 * @param name what LstmNode.create() has as `processor`
 * @param make makes the effect of one channel from the model that LstmNode.create() was given; what it throws rejects create()
 * @throws TypeError that names the argument, or outside of an AudioWorklet
 * @example
 * ```js
 * import { registerEffect } from 'lstm-wasm/worklet-scope';
 *
 * const makeGain = (factor) => ({
 *   process(input, output) {
 *     for (let i = 0; i < input.length; i++) output[i] = factor * input[i];
 *   },
 *   reset() {},
 *   dispose() {},
 * });
 * if ('registerProcessor' in globalThis) registerEffect('gain', makeGain);
 * console.log(typeof makeGain(2).process); // function
 * ```
 */
export function registerEffect(name: string, make: (model: unknown) => Effect): void {
  if (typeof name !== 'string') throw wrongType('registerEffect', 'name', 'a string', name);
  checkInteger('registerEffect', 'name.length', name.length, 1);
  if (typeof make !== 'function') throw wrongType('registerEffect', 'make', 'a function', make);
  if (!('registerProcessor' in globalThis)) {
    throw new TypeError('registerEffect: there is no registerProcessor here: call it in the file of an AudioWorklet');
  }
  registerProcessors(name, make);
}
