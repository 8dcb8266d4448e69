import { openOrt } from './ort.mjs';
import { open, openAsOrt } from './ours.mjs';

/**
 * A part of a model in one runtime. `step` takes the input and returns the outputs, or a promise; they are read before the next
 * call. The player keeps the states.
 * @typedef {{
 *   version: string,
 *   step: (input: Float32Array) => ArrayLike<number>[] | Promise<ArrayLike<number>[]>,
 * }} Player
 *
 * Throws Unavailable where there is nothing to measure.
 * @typedef {(part: import('./list.mjs').Part, options: { eightBit: boolean, assets?: string }) => Promise<Player>} Open
 */

/** By name; `node`, `browser`: where it runs, both if neither is said. @type {Record<string, { open: Open, eightBit?: boolean, only?: 'node' | 'browser' }>} */
export const CONTESTANTS = {
  ours: { open },
  'ours as ort': { open: openAsOrt },
  'ours int8': { open, eightBit: true },
  'ort-web': { open: async (part, { assets }) => openOrt(await (await peer()).loadWeb(assets), part) },
  'ort-node': { open: async (part) => openOrt(await (await peer()).loadNode(), part), only: 'node' },
  litert: { open: litert, only: 'browser' },
  'litert int8': { open: litert, eightBit: true, only: 'browser' },
};

const peer = () => import('../peers/onnxruntime.mjs');

async function litert(part, options) {
  return (await import('../peers/litert.mjs')).open(part, options);
}
