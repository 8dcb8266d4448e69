import { sentBytes } from '../kit/bytes.ts';
import { count, duration, size } from '../kit/format.ts';
import type { Receipt } from '../kit/receipt.ts';
import type { Loaded } from './parts.ts';
import type { Reading } from './reading.ts';

/** Says what was read just now, how long that took, and what it weighs. @param where "here", or "on this computer" */
export function sayRead(receipt: Receipt, reading: Reading, milliseconds: number, loaded: Loaded, where: string): void {
  const what = { b: `${reading.seconds.toFixed(1)} s of sound read in ${duration(milliseconds / 1e3)}` };
  receipt.say([what, ` ${where}, just now: ${steps(reading)}.`], weighs(loaded));
}

/** Says what the microphone brought. */
export function sayHeard(receipt: Receipt, reading: Reading, loaded: Loaded, isLive: boolean): void {
  const load = reading.steps ? reading.milliseconds / 1e3 / reading.seconds : 0;
  const what = { b: `${reading.seconds.toFixed(1)} s heard from the microphone` };
  const part = `${isLive ? 'so far' : 'just now'}: ${steps(reading)}, ${(100 * load).toFixed(1)} % of a core.`;
  receipt.say([what, ` ${part}`], weighs(loaded));
}

const steps = ({ steps, milliseconds }: Reading) =>
  steps ? `${count(steps)} steps of ${duration(milliseconds / 1e3 / steps)}` : 'no step yet';

function weighs({ bytes }: Loaded): string[] {
  const code = sentBytes((url) => /voice\.worker/.test(url));
  return [`${code ? size(code) : '—'} of code, ${size(bytes)} of Silero VAD. Nothing was uploaded.`];
}

export function device(): string {
  if (!matchMedia('(pointer: coarse)').matches) return 'computer';
  return Math.min(screen.width, screen.height) < 600 ? 'phone' : 'tablet';
}
