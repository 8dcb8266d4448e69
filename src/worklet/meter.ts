import type { Load } from './messages.ts';

/** Measures how long blocks take, as a part of how long they play. Worklets of most engines have no clock but Date, in whole milliseconds. */
export class Meter {
  /** Whether blocks are measured; the times of others are not asked, since each would be a number on the heap. */
  isOn = false;
  private readonly _now: () => number;
  private readonly _rate: number;
  private _start = 0;
  private _busy = 0;
  private _played = 0;
  private _peak = 0;
  private _blocks = 0;
  private _late = 0;

  /** @param rate samples a second */
  constructor(rate: number) {
    this._rate = rate;
    const { performance } = globalThis as { performance?: { now(): number } };
    this._now = performance ? () => performance.now() : () => Date.now();
  }

  /** Starts to measure from nothing. */
  begin(): void {
    this._busy = this._played = this._peak = this._blocks = this._late = 0;
    this.isOn = true;
  }

  /** Notes that a block begins. */
  start(): void {
    this._start = this._now();
  }

  /** Notes that a block of so many samples has ended. */
  stop(samples: number): void {
    const milliseconds = this._now() - this._start;
    const plays = (1000 * samples) / this._rate;
    this._busy += milliseconds;
    this._played += plays;
    this._blocks++;
    if (milliseconds > plays) this._late++;
    if (milliseconds / plays > this._peak) this._peak = milliseconds / plays;
  }

  /** Ends measuring. */
  end(): Load {
    this.isOn = false;
    const average = this._played > 0 ? this._busy / this._played : 0;
    return { average, peak: this._peak, blocks: this._blocks, late: this._late };
  }
}
