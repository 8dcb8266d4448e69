/** A new word begins where that is likelier than this. */
export const THRESHOLD = 0.5;

/** The model was trained on Thai without anything between: other letters and spaces part the text into runs, each read by itself. */
const THAI = /[\u0e00-\u0e7f]+/gu;

export interface Word {
  /** Of its letters: the first, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** How likely the model finds it that a word begins there; NaN for what it did not read. */
  readonly probability: number;
}

/** A text as the model reads it. */
export interface Reading {
  /** Code points: a vowel or tone mark above a letter is one of its own. */
  readonly letters: readonly string[];
  /** [letters, units]: h of the units that read from the left, then of those that read from the right; 0 where nothing is Thai. */
  readonly states: Float32Array;
  readonly units: number;
  /** How likely a new word begins at each letter; NaN where nothing is Thai. */
  readonly starts: Float32Array;
  readonly words: readonly Word[];
}

/** Where the letters of a text are Thai, in code points. */
export function runs(text: string): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let [units, letters] = [0, 0];
  for (const { index, 0: run } of text.matchAll(THAI)) {
    // Thai letters are one UTF-16 unit each; what stands between may have two
    letters += [...text.slice(units, index)].length;
    found.push({ from: letters, to: letters + run.length });
    letters += run.length;
    units = index + run.length;
  }
  return found;
}

/** Words of a text. A run begins one whatever the model says, and what is not Thai stands as one piece. */
export function cut(letters: readonly string[], starts: Float32Array): Word[] {
  const words: Word[] = [];
  let from = 0;
  for (let t = 1; t <= letters.length; t++) {
    const isWord = !Number.isNaN(starts[from]!);
    const ends = t === letters.length || Number.isNaN(starts[t]!) === isWord || (isWord && starts[t]! > THRESHOLD);
    if (!ends) continue;
    words.push({ from, to: t, text: letters.slice(from, t).join(''), probability: starts[from]! });
    from = t;
  }
  return words;
}
