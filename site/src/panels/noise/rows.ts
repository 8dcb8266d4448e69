import { signed } from '../../kit/format.ts';
import { pictureRow, waveRow } from '../../kit/rows.ts';
import type { Row } from '../../kit/view.ts';
import type { Pair } from './pair.ts';

const KILOHERTZ = [0, 4, 8].map((value) => ({ at: value / 8, text: value === 8 ? '8 kHz' : String(value) }));

/** The rows of the panel. @param changes in decibels, as far as they are known */
export function rows(pair: () => Pair, changes: () => { noise: number; voice: number } | undefined): Row[] {
  const decibels = (value: number | undefined) => (value === undefined ? '—' : `${signed(value, 1)} dB`);
  const level = (value: number | undefined) => (value === undefined ? 'silence' : `${signed(value, 1)} dB`);
  return [
    {
      ...overprint(pair),
      value: () =>
        [
          { text: 'noise taken', tone: 'rust' },
          { text: decibels(changes()?.noise), tone: 'rust' },
        ] as const,
    },
    {
      ...pictureRow(
        { name: 'Said', detail: 'what is left', height: 92, phone: 64, gap: 12 },
        () => pair().picture('kept'),
        () => 'pen',
      ),
      value: () =>
        [
          { text: 'voice kept', tone: 'pen' },
          { text: decibels(changes()?.voice), tone: 'pen' },
        ] as const,
    },
    {
      ...waves(pair),
      value(time) {
        const { noisy, cleaned } = pair().levels(time);
        return [
          { text: level(noisy), tone: 'rust' },
          { text: level(cleaned), tone: 'pen' },
        ];
      },
    },
  ];
}

/** Two spectrograms in one: inks that lie over each other on paper, lights that add up in the dark. */
function overprint(pair: () => Pair): Row {
  const details = [
    { text: 'kept', tone: 'pen' },
    { text: 'and taken away', tone: 'rust' },
  ] as const;
  const looks = { name: 'Heard', detail: details, height: 152, phone: 104, gap: 12, ticks: KILOHERTZ };
  const kept = pictureRow(
    looks,
    () => pair().picture('kept'),
    () => 'pen',
  );
  const taken = pictureRow(
    looks,
    () => pair().picture('taken'),
    () => 'rust',
  );
  return {
    ...looks,
    draw(context, view) {
      kept.draw(context, view);
      context.globalCompositeOperation = view.theme.dark ? 'screen' : 'multiply';
      taken.draw(context, view);
      context.globalCompositeOperation = 'source-over';
    },
  };
}

/** The noisy waveform in rust, and the cleaned one before it in pen. */
function waves(pair: () => Pair): Row {
  const looks = { detail: 'both waveforms', height: 72, phone: 56, gap: 10 };
  const gain = () => {
    const [low, high] = pair().peaks.noisy.between(0, pair().seconds);
    return Math.min(8, 0.96 / Math.max(-low, high, 1e-3));
  };
  const noisy = waveRow(
    looks,
    () => pair().peaks.noisy,
    () => 'rust',
    gain,
  );
  const cleaned = waveRow(
    looks,
    () => pair().peaks.cleaned,
    () => 'pen',
    gain,
  );
  return {
    ...looks,
    draw(context, view) {
      noisy.draw(context, view);
      cleaned.draw(context, view);
    },
  };
}
