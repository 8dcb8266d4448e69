import { decibels } from '../kit/format.ts';
import { bandRow, lineRow, pictureRow, waveRow } from '../kit/rows.ts';
import type { Row } from '../kit/view.ts';
import { STEP } from './parts.ts';
import type { Reading } from './reading.ts';
import { type Stretch, stretchAt, type Thresholds } from './stretches.ts';

/** What rows draw: it changes while they stand. */
export interface Shown {
  readonly reading: Reading;
  readonly stretches: readonly Stretch[];
  readonly thresholds: Thresholds;
}

/** Quiet recordings are drawn larger, up to this many times. */
const LARGEST_GAIN = 8;
/** Parts of a sound whose loudness is looked at. */
const PARTS = 300;

type Looks = Omit<Row, 'draw'>;

/** Stretches of speech as bars with their times. */
export function speechRow(looks: Looks, shown: () => Shown): Row {
  return bandRow(
    looks,
    () => shown().stretches,
    ({ from, to }) => `${from.toFixed(2)}–${to.toFixed(2)} s`,
  );
}

/** The waveform, in pen where there is speech. */
export function soundRow(looks: Looks, shown: () => Shown): Row {
  return waveRow(
    looks,
    () => shown().reading.peaks,
    (time) => (stretchAt(shown().stretches, time) ? 'pen' : 'ink3'),
    () => gain(shown().reading),
  );
}

const gains = new WeakMap<Reading, { steps: number; gain: number }>();

/** How much larger a sound is drawn: nine in ten parts of it stay well within the row, and what is far louder is cut at its edges. */
function gain(reading: Reading): number {
  const known = gains.get(reading);
  if (known?.steps === reading.steps) return known.gain;
  const { peaks } = reading;
  const parts = Array.from({ length: PARTS }, (_, n) => {
    const [low, high] = peaks.between((n * peaks.seconds) / PARTS, ((n + 1) * peaks.seconds) / PARTS);
    return Math.max(-low, high);
  }).sort((a, b) => a - b);
  const gain = Math.max(1, Math.min(LARGEST_GAIN, 0.55 / Math.max(parts[Math.floor(0.9 * PARTS)]!, 1e-3)));
  gains.set(reading, { steps: reading.steps, gain });
  return gain;
}

/** The spectrogram, in pen where there is speech. */
export function spectrumRow(looks: Looks, shown: () => Shown): Row {
  return pictureRow(
    looks,
    () => shown().reading.spectrum(),
    (time) => (stretchAt(shown().stretches, time) ? 'pen' : 'ink'),
  );
}

/** The cell state of all units, sorted by what they do to the answer. */
export function cellsRow(looks: Looks, shown: () => Shown): Row {
  return pictureRow(
    looks,
    () => shown().reading.cells(),
    () => 'div',
  );
}

/** The probability of speech, its two thresholds, and a dot on the playhead. */
export function answerRow(looks: Looks, shown: () => Shown): Row {
  const levels = () => {
    const { on, off } = shown().thresholds;
    return on === off ? [on] : [on, off];
  };
  const row = lineRow(
    looks,
    () => {
      const { reading } = shown();
      return [
        { values: reading.probabilities, count: reading.steps, every: STEP, colour: 'pen', wash: 'penwash' } as const,
      ];
    },
    { range: [0, 1], levels },
  );
  return {
    ...row,
    mark(time) {
      const { reading } = shown();
      if (time > reading.seconds) return undefined;
      const probability = reading.probability(time);
      return { at: probability, text: probability.toFixed(2) };
    },
  };
}

/** Says what is heard and said at a time, for those who do not see it. */
export function describe({ reading, stretches }: Shown, time: number): string {
  const stretch = stretchAt(stretches, time);
  const where = stretch ? `, in the speech from ${stretch.from.toFixed(2)} to ${stretch.to.toFixed(2)} s` : '';
  return `${time.toFixed(2)} s: speech ${reading.probability(time).toFixed(2)}${where}, ${decibels(reading.amplitude(time))}`;
}

/** Says which stretches there are. */
export function summarize({ reading, stretches }: Shown, most = 12): string {
  const list = stretches.slice(0, most).map(({ from, to }) => `${from.toFixed(2)} to ${to.toFixed(2)} s`);
  const more = stretches.length > most ? `, and ${stretches.length - most} more` : '';
  const count = `${stretches.length} stretch${stretches.length === 1 ? '' : 'es'} of speech in ${reading.seconds.toFixed(1)} s`;
  return stretches.length ? `${count}: ${list.join('; ')}${more}.` : `${count}.`;
}
