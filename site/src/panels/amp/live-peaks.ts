import { Peaks } from '../../kit/rows.ts';
import type { Rig } from './rig.ts';

/** Seconds of live input that are kept; what comes later is heard but not drawn. */
const KEPT = 600;

/** Waveforms of live input before and behind the amp, taken from the rig's analysers between two frames. */
export class LivePeaks {
  readonly heard: Peaks;
  readonly said: Peaks;
  /** The largest amplitude of both. */
  most = 0.05;
  #time = 0;

  constructor(private readonly rate: number) {
    [this.heard, this.said] = [0, 1].map(() => new Peaks(new Float32Array(), rate, KEPT * rate)) as [Peaks, Peaks];
  }

  /** Adds what was played since the call before. @param drive, match the factors before and behind the amp */
  add(rig: Rig, drive: number, match: number): void {
    const samples = Math.floor(((rig.time - this.#time) * this.rate) / Peaks.EVERY) * Peaks.EVERY;
    if (samples <= 0) return;
    this.#time += samples / this.rate;
    const { before, after } = rig.read(samples);
    this.#put(this.heard, before, 1 / drive);
    this.#put(this.said, after, match);
  }

  #put(peaks: Peaks, samples: Float32Array, gain: number): void {
    const scaled = samples.map((sample) => sample * gain);
    for (const sample of scaled) this.most = Math.max(this.most, Math.abs(sample));
    peaks.add(scaled);
  }
}
