/** Who takes part, by the names of benchmarks/contestants.mjs. */
export const NAMES = ['ours', 'ours int8', 'plain', 'ort-web'] as const;

export type Name = (typeof NAMES)[number];

/** Microseconds of a call: the median, and the 95th percentile. */
export interface Time {
  readonly us: number;
  readonly p95: number;
}

/** What a contestant took; `wrong` where its answer differed, so that it was not timed. */
export type Times = Partial<Record<Name, Time | 'wrong'>>;

/** From a new worker to its first answer: milliseconds, and the bytes that it fetched as they were sent, 0 where the browser does not say. */
export interface Beginning {
  readonly ms: number;
  readonly bytes: number;
}

/** A run of the benchmark, measured here, recorded or read from a link. */
export interface Result {
  /** "Chromium 156" */
  readonly browser: string;
  /** "Linux"; of a recorded run the processor. */
  readonly machine: string;
  /** "2026-11-30" */
  readonly date: string;
  readonly thorough: boolean;
  /** A measurement lasts at least this many milliseconds. */
  readonly sampleMs: number;
  /** The version of onnxruntime-web; empty where it did not take part. */
  readonly ort: string;
  /** A row each of SHAPES. */
  readonly rows: readonly Times[];
  /** Of a recorded run, where the second part was measured on another day. */
  readonly startDate?: string;
  readonly start: Readonly<Partial<Record<'ours' | 'ort-web', Beginning>>>;
}

export const timeOf = (times: Times | undefined, name: Name): Time | undefined => {
  const time = times?.[name];
  return time === 'wrong' ? undefined : time;
};

/** How many times as long as ours the peer takes, where both were timed. */
export function ratioOf(times: Times | undefined): number | undefined {
  const ours = timeOf(times, 'ours');
  const peer = timeOf(times, 'ort-web');
  return ours && peer && peer.us / ours.us;
}
