import { type Filter, filterFor } from './filter.ts';

/** Changes the sample rate of a signal that comes in pieces of any length. Allocates nothing after it was made. */
export class Resampler {
  /** Inputs that must have come after the place of an output. */
  private readonly _reach: number;
  private readonly _filter: Filter;
  /** Inputs for each output are `_step / _whole`. */
  private readonly _step: number;
  private readonly _whole: number;
  /** The inputs that are still needed. */
  private readonly _inputs: Float32Array;
  private readonly _lag: number;
  private _count = 0;
  /** The first input of the next output, and its place after that input's, in `_whole`ths of an input. */
  private _first = 0;
  private _place = 0;

  /**
   * @param from,to rates in Hz, integers
   * @param most inputs that push() takes at once
   * @param lag how much later than its own place an output may be, in outputs: output n is the signal at n - lag
   */
  constructor(from: number, to: number, most: number, lag = 0) {
    const divisor = gcd(from, to);
    this._step = from / divisor;
    this._whole = to / divisor;
    this._filter = filterFor(this._step, this._whole);
    this._reach = this._filter.taps / 2;
    this._lag = lag;
    this._inputs = new Float32Array(2 * this._filter.taps + Math.ceil((lag * this._step) / this._whole) + most + 2);
    this.reset();
  }

  /** Forgets all inputs: silence comes before the next one. */
  reset(): void {
    const late = this._lag * this._step;
    const before = Math.ceil(late / this._whole);
    this._count = this._reach - 1 + before;
    this._inputs.fill(0, 0, this._count);
    this._first = 0;
    this._place = before * this._whole - late;
  }

  /** Takes `count` samples. */
  push(samples: Float32Array, count: number): void {
    if (this._first > 0) {
      this._inputs.copyWithin(0, this._first, this._count);
      this._count -= this._first;
      this._first = 0;
    }
    for (let i = 0; i < count; i++) this._inputs[this._count + i] = samples[i]!;
    this._count += count;
  }

  /**
   * Gives outputs that the inputs so far allow, at most `most`.
   * @returns how many
   */
  pull(out: Float32Array, most: number): number {
    const { taps } = this._filter;
    let n = 0;
    for (; n < most && this._first + taps <= this._count; n++) {
      this._write(out, n);
      const place = this._place + this._step;
      const passed = Math.floor(place / this._whole);
      this._first += passed;
      this._place = place - passed * this._whole;
    }
    return n;
  }

  /** Computes one output. It returns none, since a number that is returned may be put on the heap. */
  private _write(out: Float32Array, n: number): void {
    const { taps, phases, table } = this._filter;
    const exact = (this._place * phases) / this._whole;
    const phase = Math.floor(exact);
    const between = exact - phase;
    const inputs = this._inputs;
    const first = this._first;
    const row = phase * taps;
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += inputs[first + k]! * table[row + k]!;
    if (between > 0) {
      let next = 0;
      for (let k = 0; k < taps; k++) next += inputs[first + k]! * table[row + taps + k]!;
      sum += between * (next - sum);
    }
    out[n] = sum;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
