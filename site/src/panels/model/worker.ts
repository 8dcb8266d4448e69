import { sentBytes } from '../../kit/bytes.ts';
import { serve } from '../../kit/worker.ts';
import type { Seen } from './seen.ts';
import { GATES, type Given, type Saving } from './types.ts';

// Parts that are loaded later import the studio's file, and none imports this one: WebKit would run it a second time, as a module.
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
serve(functions, (result) => {
  const { gates, shades } = Object(result) as Partial<Seen>;
  return shades
    ? [...GATES.map((name) => gates![name].buffer), ...Object.values(shades).map(({ buffer }) => buffer)]
    : [];
});
