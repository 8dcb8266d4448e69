/**
 * What a contestant does with a shape: `step` is called for streams only and carries the state on, `forward` for
 * sequences only, from a state of zeros. Both may answer with a promise. What they return is read before the next call.
 * @typedef {{
 *   version: string,
 *   step: (frame: Float32Array) => ArrayLike<number> | Promise<ArrayLike<number>>,
 *   forward: (input: Float32Array) => ArrayLike<number> | Promise<ArrayLike<number>>,
 * }} Player
 *
 * Throws Unavailable where there is nothing to measure.
 * @typedef {(shape: import('./shapes.mjs').Shape, weights: Map<string, { data: Float32Array, dims: number[] }>,
 *   options: object) => Player | Promise<Player>} Open
 */

/** Largest error that still is the same LSTM. onnxruntime's 8-bit form is off by up to 2e-2. */
const EXACT = 2e-5;
const EIGHT_BIT = 5e-2;

/**
 * By name. `load` gives the contestant's `open`; `options` go to it.
 * @type {Record<string, { load: () => Promise<Open>, options?: object, bound: number, browser?: boolean, note?: string }>}
 */
export const CONTESTANTS = {
  ours: { load: ours, bound: EXACT, browser: true },
  'ours int8': { load: ours, options: { int8: true }, bound: EIGHT_BIT, browser: true },
  plain: { load: async () => (await import('./plain.mjs')).open, bound: EXACT, browser: true },
  'ort-web': { load: ortWeb, options: { int8: false }, bound: EXACT, browser: true },
  'ort-web int8': { load: ortWeb, options: { int8: true }, bound: EIGHT_BIT, browser: true },
  'ort-node': { load: ortNode, options: { int8: false }, bound: EXACT },
  'ort-node int8': { load: ortNode, options: { int8: true }, bound: EIGHT_BIT },
  'tfjs-wasm': { load: async () => (await import('./peers/tfjs.mjs')).openWasm, bound: EXACT, browser: true },
  'tfjs-cpu': { load: async () => (await import('./peers/tfjs.mjs')).openCpu, bound: EXACT, browser: true },
  'brain.js': {
    load: async () => (await import('./peers/brain.mjs')).open,
    bound: EXACT,
    brain: true,
    note: 'a cell of its own kind, without a cell state, compared with that; a stream is a run of 64 steps, divided',
  },
};

async function ours() {
  return (await import('./ours.mjs')).open;
}

async function ortWeb() {
  return (await import('./peers/onnxruntime.mjs')).openWeb;
}

async function ortNode() {
  return (await import('./peers/onnxruntime.mjs')).openNode;
}
