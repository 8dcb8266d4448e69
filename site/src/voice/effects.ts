/**
 * Sorts units by their effect on the answer: the mean while there is speech minus the mean while there is none, over the deviation.
 * It keeps sums alone.
 */
export class Effects {
  #units: number;
  /** Sums of values and of their squares, and of values in speech. */
  #all: Float64Array;
  #squares: Float64Array;
  #speech: Float64Array;
  #steps = 0;
  #spoken = 0;

  constructor(units: number) {
    this.#units = units;
    [this.#all, this.#squares, this.#speech] = [
      new Float64Array(units),
      new Float64Array(units),
      new Float64Array(units),
    ];
  }

  /** Adds a step. @param values (units) @param speech whether the step is one of speech */
  add(values: ArrayLike<number>, speech: boolean): void {
    this.#steps++;
    if (speech) this.#spoken++;
    for (let unit = 0; unit < this.#units; unit++) {
      const value = values[unit]!;
      this.#all[unit]! += value;
      this.#squares[unit]! += value * value;
      if (speech) this.#speech[unit]! += value;
    }
  }

  /** The effect of each unit; 0 for all where only speech or only silence was heard. */
  effects(): Float64Array {
    const silent = this.#steps - this.#spoken;
    return this.#all.map((sum, unit) => {
      if (!this.#spoken || !silent) return 0;
      const spoken = this.#speech[unit]!;
      const mean = sum / this.#steps;
      const deviation = Math.sqrt(Math.max(0, this.#squares[unit]! / this.#steps - mean * mean));
      return deviation > 0 ? (spoken / this.#spoken - (sum - spoken) / silent) / deviation : 0;
    });
  }

  /** Units from the one that speech raises most to the one that it lowers most. */
  order(): Uint8Array {
    const effects = this.effects();
    return Uint8Array.from(effects.keys()).sort((a, b) => effects[b]! - effects[a]! || a - b);
  }
}
