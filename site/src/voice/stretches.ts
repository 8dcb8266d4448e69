import { RATE, STEP } from './parts.ts';

/** Probabilities at which speech begins and ends. */
export interface Thresholds {
  readonly on: number;
  readonly off: number;
}

/** Speech from one time to another, in seconds, and how sure the model was of it. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  readonly lowest: number;
}

// The rule of Silero's own toolkit at its defaults, in seconds: speech is longer, silence that ends it not shorter, and a stretch
// has this much more on both sides.
const MIN_SPEECH = 0.25;
const MIN_SILENCE = 0.1;
const PADDING = 0.03;

/**
 * Stretches of speech.
 * @param count probabilities that are there
 * @param open whether the sound goes on: a stretch that is still open ends at the last step then, however short it is
 */
export function stretches(
  probabilities: Float32Array,
  count: number,
  { on, off }: Thresholds,
  open = false,
): Stretch[] {
  const found: Stretch[] = [];
  let [start, silence] = [-1, -1];
  const close = (end: number, known: number) => {
    if ((end - start) * STEP > MIN_SPEECH || (open && known === count)) {
      const inside = probabilities.subarray(start, end);
      const [from, to] = [Math.max(0, start * STEP - PADDING), Math.min(known * STEP, end * STEP + PADDING)];
      const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
      found.push({ from, to, mean, lowest: inside.reduce((low, value) => Math.min(low, value), 1) });
    }
    [start, silence] = [-1, -1];
  };
  for (let step = 0; step < count; step++) {
    const probability = probabilities[step]!;
    if (probability >= on) {
      silence = -1;
      if (start < 0) start = step;
    } else if (start >= 0 && probability < off) {
      if (silence < 0) silence = step;
      if (Math.round((step - silence) * STEP * RATE) >= MIN_SILENCE * RATE) close(silence, step);
    }
  }
  if (start >= 0) close(count, count);
  return found;
}

/** The stretch at a time. */
export function stretchAt(all: readonly Stretch[], time: number): Stretch | undefined {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.to < time) low = middle + 1;
    else high = middle;
  }
  const stretch = all[low];
  return stretch && stretch.from <= time ? stretch : undefined;
}

/** Seconds of speech in all of them. */
export function spoken(all: readonly Stretch[]): number {
  return all.reduce((sum, { from, to }) => sum + to - from, 0);
}
