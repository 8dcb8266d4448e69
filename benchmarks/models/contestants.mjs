import { openOrt } from './ort.mjs';
import { open, openAsOrt } from './ours.mjs';

/**
 * Opens a part of a model in a runtime. Throws Unavailable where there is nothing to measure.
 * @typedef {(part: import('./list.mjs').Part, options: { eightBit: boolean, assets?: string }) => Promise<Opened>} Open
 * @typedef {import('./list.mjs').Player & { version: string }} Opened
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
