/** A row of the benchmark: what benchmarks/shapes.mjs calls a shape, with its words. */
export interface FastShape {
  readonly label: string;
  /** For phones. */
  readonly short?: string;
  readonly stream: boolean;
  readonly I: number;
  readonly H: number;
  readonly L: number;
  readonly D: 1;
  readonly T: number;
  readonly B: 1;
}

/** Steps that a stream is checked over, and the inputs that it is timed with, round and round. */
const STREAM_STEPS = 8;

const stream = (I: number, H: number): FastShape => ({
  label: `${I} × ${H}`,
  stream: true,
  ...{ I, H, L: 1, D: 1, T: STREAM_STEPS, B: 1 },
});

const sequence = (I: number, H: number, T: number, L = 1): FastShape => ({
  label: `${I} × ${H}${L > 1 ? `, ${L} layers` : ''}, ${T} steps`,
  short: `${I} × ${H}${L > 1 ? ` ×${L}` : ''}, ${T} steps`,
  stream: false,
  ...{ I, H, L, D: 1, T, B: 1 },
});

/** Their order is part of links: see link.ts. */
export const SHAPES: readonly FastShape[] = [
  stream(1, 8),
  stream(1, 16),
  stream(1, 40),
  stream(64, 64),
  stream(128, 128),
  stream(256, 256),
  stream(512, 512),
  stream(1024, 1024),
  sequence(40, 128, 100, 2),
  sequence(128, 256, 200, 2),
  sequence(512, 512, 100),
  sequence(1024, 1024, 50),
];
