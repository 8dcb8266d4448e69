import './amp.css';
import ampUrl from '../../../../examples/guitar-amp/data/guitarml/ts9-lstm8.json?url';
import chordUrl from '../../../../examples/guitar-amp/data/nam/guitar-48k.wav?url';
import { fetchBytes } from '../../kit/bytes.ts';
import { Receipt } from '../../kit/receipt.ts';
import { decode } from '../../kit/sound.ts';
import { playNotes } from './riff.ts';

/** The riff's rate, and where the recorded chord begins with a stroke, in seconds. */
const RATE = 48_000;
const STROKE = 0.505;

/** Begins the panel: fetches the chord and the amp, and draws the riff through it. Nothing is heard before a click. */
export async function start(section: HTMLElement): Promise<void> {
  const receipt = new Receipt(section.querySelector('.receipt')!);
  try {
    const [{ Panel }, chord, amp] = await Promise.all([import('./panel.ts'), fetchBytes(chordUrl), fetchBytes(ampUrl)]);
    const { samples } = await decode(chord.bytes.slice().buffer, RATE);
    const panel = new Panel(section, receipt, playNotes(samples.subarray(Math.round(STROKE * RATE)), RATE), RATE);
    await panel.take({ name: 'ts9-lstm8.json', text: new TextDecoder().decode(amp.bytes), bytes: amp.sent });
  } catch (error) {
    receipt.fail(error instanceof Error ? error.message : String(error));
  }
}
