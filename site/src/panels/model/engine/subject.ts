import type { Given, Track } from '../types.ts';
import type { Need, Sequence } from './sequence.ts';
import type { TraceLog } from './traces.ts';

/** What a run gave. */
export interface Outcome {
  readonly said?: (Track & { readonly name: string }) | undefined;
  readonly answer?: string | undefined;
  /** Seconds of the run itself, without the trace. */
  readonly seconds: number;
  /** Calls or steps in it. */
  readonly steps: number;
  readonly log: TraceLog;
  /** The largest difference between what the traced run and the plain one gave. */
  readonly difference: number;
  /** What was compared: "h of every step". */
  readonly compared: string;
  readonly notes: readonly string[];
}

/** A model that can be run on a sequence. */
export interface Subject {
  readonly need: Need;
  /** "40 numbers a step". */
  readonly takes: string;
  /** Samples a second that it wants; undefined if any. */
  readonly rate?: number | undefined;
  /** Which layers have 8 bits in runInt8(), where it is not the LSTMs and what is behind them: " in all its layers". */
  readonly scope?: string;
  run(sequence: Sequence): Promise<Outcome>;
  /** The run that the one with 8-bit weights is compared with, where that is not run() itself. */
  runPlain?: ((sequence: Sequence) => Promise<Outcome>) | undefined;
  /** The same with 8-bit weights; undefined where the package has none for such a model. */
  runInt8?: ((sequence: Sequence) => Promise<Outcome>) | undefined;
}

/** Floats of all gates of a run, at most: 96 MB. */
export const MOST_FLOATS = 24e6;

/** The steps whose gates fit into memory. @param units hidden units of all cells */
export function mostSteps(units: number): number {
  return Math.max(16, Math.floor(MOST_FLOATS / (6 * Math.max(1, units))));
}

/** What a model can be run on. */
export function offersOf({ kind }: Need): Given['kind'][] {
  return kind === 'ids' ? ['random', 'typed', 'file'] : ['recording', 'random', 'typed', 'file'];
}

/** Says what is to be typed. */
export function takesOf({ kind, width, words, fixed }: Need): string {
  const steps = fixed ? `, ${fixed.toLocaleString('en-US')} steps` : '';
  if (kind === 'samples') return `samples of sound${steps}`;
  if (kind === 'ids') return `ids from 0${words ? ` to ${words - 1}` : ''}${steps}`;
  return `${width === 1 ? '1 number' : `${width} numbers`} a step${steps}`;
}

/** Runs something and measures it. */
export async function timed<T>(work: () => T | Promise<T>): Promise<[result: T, seconds: number]> {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
}
