import { Peaks, waveRow } from '../../kit/rows.ts';
import type { Row } from '../../kit/view.ts';
import { matching, peak } from './levels.ts';
import type { LivePeaks } from './live-peaks.ts';

/** The riff before and behind the amp, as it is drawn. */
export class Picture {
  /** Makes what the amp gives as loud as the riff; negative if the amp turns the sign. */
  match = 1;
  readonly heard: Peaks;
  said: Peaks;
  /** The largest amplitude of both waveforms, of which waveforms ask for each pixel. */
  most = 1;
  readonly seconds: number;
  #output: Float32Array;

  constructor(
    readonly riff: Float32Array,
    readonly rate: number,
  ) {
    this.#output = new Float32Array(riff.length);
    this.seconds = riff.length / rate;
    this.heard = new Peaks(riff, rate);
    this.said = new Peaks(this.#output, rate);
  }

  /** What the amp gives, sample for sample. */
  set output(output: Float32Array) {
    this.#output = output;
    this.match = matching(this.riff, output);
    this.most = Math.max(0.05, peak(this.riff), peak(output) * Math.abs(this.match));
    this.said = new Peaks(output, this.rate);
  }

  get sign(): number {
    return Math.sign(this.match);
  }

  /** The largest amplitudes that go into the amp and come out of it. */
  range(drive: number): [before: number, after: number] {
    return [peak(this.riff) * drive || 1, peak(this.#output) || 1];
  }

  /** The samples until a time, before and behind the amp. */
  until(time: number, seconds: number, drive: number): { before: Float32Array; after: Float32Array } {
    const end = Math.round(time * this.rate);
    const begin = Math.max(0, end - Math.round(seconds * this.rate));
    return {
      before: this.riff.slice(begin, end).map((sample) => sample * drive),
      after: this.#output.slice(begin, end).map((sample) => sample * this.sign),
    };
  }

  /** The rows of the strip. @param live what is played live, in the riff's place while there is something */
  rows(live: () => LivePeaks | undefined): Row[] {
    const scale = () => 0.92 / (live()?.most ?? this.most);
    return [
      waveRow(
        { name: 'Heard', detail: 'guitar', height: 124, phone: 100, gap: 14 },
        () => live()?.heard ?? this.heard,
        () => 'ink3',
        scale,
      ),
      waveRow(
        { name: 'Said', detail: 'through the amp', height: 124, phone: 100, gap: 8 },
        () => live()?.said ?? this.said,
        () => 'pen',
        () => scale() * (live() ? 1 : Math.abs(this.match)),
      ),
    ];
  }
}
