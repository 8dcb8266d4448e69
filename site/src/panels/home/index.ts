import './home.css';
import { Receipt } from '../../kit/receipt.ts';
import { savesData, whyNot } from '../../kit/simd.ts';
import type { Strip } from '../../kit/strip.ts';
import type { Row } from '../../kit/view.ts';
import { Controls } from '../../voice/controls.ts';
import { Desk } from '../../voice/desk.ts';
import { device } from '../../voice/receipts.ts';
import { answerRow, cellsRow, type Shown, soundRow, spectrumRow, speechRow } from '../../voice/rows.ts';

const CELLS = [
  { text: 'cell state c of\n128 LSTM units' },
  { text: 'above zero', tone: 'pen' },
  { text: 'below zero', tone: 'rust' },
] as const;

function rows(shown: () => Shown): Row[] {
  return [
    speechRow({ height: 40 }, shown),
    soundRow({ name: 'Heard', detail: 'waveform', height: 72, phone: 60 }, shown),
    spectrumRow({ detail: '0–8 kHz', height: 96, phone: 56 }, shown),
    cellsRow(
      {
        name: 'Remembered',
        detail: CELLS,
        height: 128,
        phone: 80,
        gap: 12,
      },
      shown,
    ),
    answerRow({ name: 'Said', detail: 'speech, 0 to 1', height: 72, phone: 60, gap: 20 }, shown),
  ];
}

/** What is seen of the recording first: on a phone one sentence, on a wide page three. */
function view() {
  return matchMedia('(max-width: 640px)').matches
    ? { from: 7.4, to: 12.6, playhead: 9.86 }
    : { from: 1.4, to: 13.2, playhead: 9.63 };
}

export async function start(section: HTMLElement): Promise<void> {
  const receipt = new Receipt(section.querySelector('.receipt')!);
  const desk: Desk = new Desk(
    section.querySelector<Strip>('lw-strip')!,
    receipt,
    {
      recording: 'built/mixed-beginning.wav',
      name: 'six readers',
      where: `on this ${device()}`,
      drawing: 'built/home-drawing.bin',
      view,
    },
    rows,
    (mode) => controls.show(mode),
  );
  const controls = new Controls(section, () => desk, 'Drop it: the strip at the top will read it.');
  await desk.showDrawing();
  const reason = whyNot();
  if (reason) receipt.fail(reason);
  else if (savesData()) {
    receipt.say(
      [{ b: 'Drawn when this page was built' }, ', since this browser asks for little data.'],
      ['Listen loads 0.9 MB of model and 0.4 MB of sound, and reads it here.'],
    );
  } else if (!desk.sound) await desk.readBuiltIn();
}
