import { peak } from './levels.ts';

/** A note of the riff: when it begins and how long it lasts in eighths, by how many semitones the recorded chord is moved, and whether it is damped. */
export interface Note {
  readonly at: number;
  readonly eighths: number;
  readonly semitones: number;
  readonly damped: boolean;
}

/** Seconds of an eighth. */
const EIGHTH = 0.2;
/** Seconds in which a damped string falls to 1/e, and in which any note ends. */
const DAMPING = 0.07;
const RELEASE = 0.02;
/** The largest amplitude: the level at which guitars are recorded for models of amps, with room to drive it up. */
const LOUDEST = 0.35;

const note = (at: number, eighths: number, semitones: number, damped = false): Note => ({
  at,
  eighths,
  semitones,
  damped,
});

/** E fifths an octave below the recording, and G, A and B beside them. */
export const RIFF: readonly Note[] = [
  note(0, 2, -12),
  note(2, 1, -12, true),
  note(3, 1, -12, true),
  note(4, 2, -9),
  note(6, 1, -12, true),
  note(7, 2, -7),
  note(9, 1, -12, true),
  note(10, 1, -5),
  note(11, 1, -7),
  note(12, 4, -12),
];

/** Plays notes on a recorded chord: its pitch is moved by the speed at which it is read. @param chord begins with the stroke */
export function playNotes(chord: Float32Array, rate: number, notes: readonly Note[] = RIFF): Float32Array {
  const eighth = Math.round(EIGHTH * rate);
  const end = Math.max(0, ...notes.map(({ at, eighths }) => at + eighths));
  const out = new Float32Array(end * eighth);
  for (const { at, eighths, semitones, damped } of notes) {
    const speed = 2 ** (semitones / 12);
    const { length } = out.subarray(at * eighth, (at + eighths) * eighth);
    for (let n = 0; n < length; n++) {
      const release = Math.min(1, (length - n) / (RELEASE * rate));
      const gain = release * (damped ? Math.exp(-n / (DAMPING * rate)) : 1);
      out[at * eighth + n] = gain * sampleAt(chord, n * speed);
    }
  }
  const most = peak(out);
  return most > 0 ? out.map((sample) => (sample * LOUDEST) / most) : out;
}

/** A sample between samples, by a cubic through its four neighbours (Catmull and Rom's). */
function sampleAt(sound: Float32Array, place: number): number {
  const n = Math.floor(place);
  const t = place - n;
  // outside of the sound is silence
  const a = n > 0 ? (sound[n - 1] ?? 0) : 0;
  const b = sound[n] ?? 0;
  const c = sound[n + 1] ?? 0;
  const d = sound[n + 2] ?? 0;
  return b + (t / 2) * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
