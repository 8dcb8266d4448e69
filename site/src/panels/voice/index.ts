import './voice.css';
import { decibels } from '../../kit/format.ts';
import { Receipt } from '../../kit/receipt.ts';
import { savesData, whyNot } from '../../kit/simd.ts';
import type { Strip } from '../../kit/strip.ts';
import type { Row } from '../../kit/view.ts';
import { Controls } from '../../voice/controls.ts';
import { Desk } from '../../voice/desk.ts';
import type { ModelName } from '../../voice/parts.ts';
import { answerRow, cellsRow, type Shown, soundRow, spectrumRow, speechRow } from '../../voice/rows.ts';
import { Overview } from './overview.ts';
import { StretchTable } from './table.ts';
import { ThresholdHandles } from './thresholds.ts';

const CELLS = [
  { text: 'cell state c of\n128 LSTM units' },
  { text: 'above zero', tone: 'pen' },
  { text: 'below zero', tone: 'rust' },
] as const;

const KILOHERTZ = [0, 2, 4, 6, 8].map((value) => ({ at: value / 8, text: value === 8 ? '8 kHz' : String(value) }));

function rows(shown: () => Shown, handles: ThresholdHandles): Row[] {
  const at = (time: number) => [{ text: `at ${time.toFixed(2)} s` }];
  const level = (time: number) => [{ text: decibels(shown().reading.amplitude(time)) }];
  const loudest = (time: number) => {
    const frequency = shown().reading.loudest(time);
    return frequency === undefined ? [] : [{ text: 'loudest at' }, { text: `${Math.round(frequency)} Hz` }];
  };
  const extremes = (time: number) => {
    const { above, below } = shown().reading.extremes(time);
    return [
      { text: `${above} above 1`, tone: 'pen' },
      { text: `${below} below −1`, tone: 'rust' },
    ] as const;
  };
  return [
    { ...speechRow({ height: 44, phone: 40 }, shown), value: at },
    { ...soundRow({ name: 'Heard', detail: 'waveform', height: 104, phone: 72 }, shown), value: level },
    { ...spectrumRow({ detail: 'spectrogram', height: 152, phone: 72, ticks: KILOHERTZ }, shown), value: loudest },
    {
      ...cellsRow({ name: 'Remembered', detail: CELLS, height: 128, phone: 96, gap: 12 }, shown),
      value: extremes,
    },
    {
      ...answerRow(
        {
          name: 'Said',
          detail: 'speech, 0 to 1',
          height: 100,
          phone: 72,
          gap: 16,
          ticks: [
            { at: 0, text: '0' },
            { at: 1, text: '1' },
          ],
        },
        shown,
      ),
      attach: (_, plot) => handles.attach(plot),
    },
  ];
}

function view() {
  return matchMedia('(max-width: 640px)').matches
    ? { from: 7.4, to: 12.6, playhead: 9.63 }
    : { from: 0, to: 14.2, playhead: 9.63 };
}

export async function start(section: HTMLElement): Promise<void> {
  const strip = section.querySelector<Strip>('lw-strip')!;
  const receipt = new Receipt(section.querySelector('.receipt')!);
  const handles = new ThresholdHandles((thresholds) => desk.setThresholds(thresholds));
  const builtIn = {
    recording: 'built/mixed.wav',
    name: 'six readers',
    where: 'here',
    drawing: 'built/voice-drawing.bin',
    view,
  };
  const desk: Desk = new Desk(
    strip,
    receipt,
    builtIn,
    (shown) => rows(shown, handles),
    (mode) => {
      controls.show(mode);
      overview.show();
      table.show();
    },
  );
  const controls = new Controls(section, () => desk, 'Drop it: Voice activity will read it.');
  const overview = new Overview(section.querySelector('.overview')!, strip, () => desk);
  const table = new StretchTable(section.querySelector('.stretches')!, strip, () => desk);
  for (const input of section.querySelectorAll<HTMLInputElement>('[name="voice-model"]')) {
    input.addEventListener('change', () => void desk.change(input.value as ModelName));
  }
  await onScreen(section);
  await desk.showDrawing();
  const reason = whyNot();
  if (reason) receipt.fail(reason);
  else if (savesData()) {
    receipt.say(
      [{ b: 'Drawn when this page was built' }, ', since this browser asks for little data.'],
      ['Listen loads 0.9 MB of model and 1.3 MB of sound, and reads it here.'],
    );
  } else if (!desk.sound) await desk.readBuiltIn();
}

/** Waits until a panel is really seen: it stands below the first screen, which should be light. */
function onScreen(section: HTMLElement): Promise<void> {
  return new Promise((resolve) => {
    const seen = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        seen.disconnect();
        resolve();
      },
      { rootMargin: '0px 0px -120px 0px' },
    );
    seen.observe(section);
  });
}
