import { serve } from '../../kit/worker.ts';
import { Studio } from './engine/studio.ts';
import type { Given, Saving } from './types.ts';

const studio = new Studio();

const functions = {
  open: (files: readonly File[]) => studio.open(files),
  run: (given: Given, lstm?: string) => studio.run(given, lstm),
  gates: (key: string) => studio.gates(key),
  savings: (lstm?: string) => studio.savings(lstm),
  save: (kind: Saving['kind'], lstm?: string) => studio.save(kind, lstm),
};

export type ModelWorker = typeof functions;

serve(functions);
