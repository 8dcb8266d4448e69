import { sentBytes } from '../../kit/bytes.ts';
import { serve } from '../../kit/worker.ts';
import type { Seen } from './seen.ts';
import type { Given, Saving } from './types.ts';

// A part that is loaded later may import what a bundler put into this file, which makes WebKit run it once more, as a module. Only the
// first may answer; so this file shares no values with the parts either.
const studio = import('./engine/studio.ts').then(({ Studio }) => new Studio());

const functions = {
  open: async (files: readonly File[]) => (await studio).open(files),
  run: async (given: Given, lstm?: string) => (await studio).run(given, lstm),
  gates: async (key: string) => (await studio).gates(key),
  savings: async (lstm?: string) => (await studio).savings(lstm),
  /** Bytes on the wire of the readers and of lstm-wasm. */
  code: () => sentBytes((url) => /\.m?[jt]s(\?|$)/.test(url)),
  save: async (kind: Saving['kind'], lstm?: string) => (await studio).save(kind, lstm),
};

export type ModelWorker = typeof functions;

/** Arrays of gates are handed over. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const { gates, shades } = Object(result) as Partial<Seen>;
  if (!gates || !shades) return [];
  const arrays = [...Object.values(gates), ...Object.values(shades)].filter((value) => ArrayBuffer.isView(value));
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}

const scope = globalThis as { isServing?: boolean };
if (!scope.isServing) {
  scope.isServing = true;
  serve(functions, buffersOf);
}
