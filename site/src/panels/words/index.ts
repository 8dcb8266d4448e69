import './words.css';
import { fetchBytes, sentBytes } from '../../kit/bytes.ts';
import { count, duration, size } from '../../kit/format.ts';
import { Receipt } from '../../kit/receipt.ts';
import type { Strip } from '../../kit/strip.ts';
import type { Reading } from './cuts.ts';
import { measure } from './measure.ts';
import { alone, LETTERS, wordRows } from './rows.ts';
import type { Segmenter } from './segmenter.ts';
import { SENTENCES } from './sentences.ts';

/** Letters that are read at most, so that a book in the clipboard holds nothing up. */
const MOST = 10_000;
/** CSS pixels of a letter, and the fewest letters, that a strip shows at first. */
const COLUMN = 34;
const FEWEST = 12;
/** Milliseconds in which one reading is repeated to time it. */
const BUDGET = 8;
const WARM = 30;
/** Words that the table for readers of screens has at most. */
const TABLE = 200;

const EMPTY: Reading = { letters: [], states: new Float32Array(), units: 30, starts: new Float32Array(), words: [] };

/** Begins the panel: reads the text that stands there, and again at each key. */
export async function start(section: HTMLElement): Promise<void> {
  const receipt = new Receipt(section.querySelector('.receipt')!);
  try {
    const [{ Segmenter }, { bytes, sent }] = await Promise.all([
      import('./segmenter.ts'),
      fetchBytes(new URL('built/words.safetensors', document.baseURI).href),
    ]);
    const code = sentBytes((url) => /\/lstm-wasm\.(?!panel|more)[\w.-]+\.js$/.test(url));
    new Panel(section, receipt, new Segmenter(bytes), { code, model: sent });
  } catch (error) {
    receipt.fail(error instanceof Error ? error.message : String(error));
  }
}

class Panel {
  #reading = EMPTY;
  #strip: Strip;
  #input: HTMLInputElement;
  #part: HTMLInputElement;
  #sentence = 0;
  /** The letter before which the caret stands. */
  #caret = 0;
  #timer = 0;

  constructor(
    private readonly section: HTMLElement,
    private readonly receipt: Receipt,
    private readonly segmenter: Segmenter,
    private readonly weights: { readonly code: number; readonly model: number },
  ) {
    this.#strip = section.querySelector<Strip>('lw-strip')!;
    this.#input = section.querySelector<HTMLInputElement>('#words-text')!;
    this.#part = section.querySelector<HTMLInputElement>('#words-part')!;
    this.#strip.ruler = LETTERS;
    this.#strip.step = 1;
    this.#strip.describe = (time) => this.#describe(Math.floor(time));
    this.#strip.show(
      wordRows(() => this.#reading),
      1,
    );
    this.#strip.addEventListener('view', () => this.#drawPart());
    this.#part.addEventListener('input', () => {
      const span = this.#strip.to - this.#strip.from;
      this.#strip.look(Number(this.#part.value), Number(this.#part.value) + span);
    });
    // each key, those of an input method before it is done too
    this.#input.addEventListener('input', () => this.#read(''));
    section.querySelector('[data-another]')!.addEventListener('click', () => this.#another());
    // canvases do not wait for a font
    void document.fonts.load('24px "IBM Plex Sans Thai"', 'กั◌').then(() => this.#strip.redraw());
    let width = 0;
    new ResizeObserver(([entry]) => {
      // what was zoomed stays so while only heights change
      if (width !== entry!.contentRect.width) this.#look();
      width = entry!.contentRect.width;
    }).observe(this.#strip);
    // code that was never run is slow at first
    measure(() => this.segmenter.read(SENTENCES[0]!.thai), WARM);
    this.#read(this.#input.value ? '' : this.#put(0));
    // the cut that the model is least sure of
    this.#strip.playhead = Math.max(0, this.#reading.words.find(({ probability }) => probability < 0.8)?.from ?? 0);
  }

  #another(): void {
    this.#read(this.#put(this.#sentence + 1));
  }

  /** Writes a built-in sentence, which stands in no HTML: its letters would load their font with the page. @returns its meaning */
  #put(sentence: number): string {
    this.#sentence = sentence % SENTENCES.length;
    const { thai, english } = SENTENCES[this.#sentence]!;
    this.#input.value = thai;
    return english;
  }

  #read(english: string): void {
    const all = [...this.#input.value];
    const text = all.length > MOST ? all.slice(0, MOST).join('') : this.#input.value;
    this.#reading = this.segmenter.read(text);
    const units = this.#input.selectionEnd ?? this.#input.value.length;
    // a sentence of ours is read from its beginning
    this.#caret = english ? 0 : [...this.#input.value.slice(0, units)].length;
    this.section.querySelector('.gloss')!.textContent = english && `“${english}”`;
    this.#look();
    this.#say(all.length);
    this.#tabulate();
  }

  /** Shows all of a short text, and of a long one the part where the caret is. */
  #look(): void {
    const { length } = this.#reading.letters;
    const plot = this.#strip.querySelector<HTMLElement>('.over')!;
    const fit = Math.max(FEWEST, Math.floor(plot.clientWidth / COLUMN));
    const span = Math.max(FEWEST, Math.min(fit, length));
    this.#strip.extend(length, span);
    const from = Math.max(0, Math.min(length - span, Math.round(this.#caret - span * 0.75)));
    this.#strip.look(from, from + span);
    if (this.#strip.playhead >= length) this.#strip.playhead = Math.max(0, length - 1);
  }

  /** The range below the strip, which moves what is shown where there is no wheel. */
  #drawPart(): void {
    const { length, from, to } = this.#strip;
    this.#part.parentElement!.classList.toggle('all', to - from >= length);
    this.#part.max = String(Math.max(1, Math.ceil(length - (to - from))));
    this.#part.value = String(Math.round(from));
    this.#part.ariaValueText = `letters ${Math.floor(from) + 1} to ${Math.min(length, Math.ceil(to))} of ${length}`;
  }

  #say(typed: number): void {
    clearTimeout(this.#timer);
    const { letters, words } = this.#reading;
    const read = words.filter(({ probability }) => !Number.isNaN(probability));
    if (!read.length) {
      this.receipt.fail('Nothing to cut: type Thai letters, or take another sentence.');
      return;
    }
    // after the key has been drawn
    this.#timer = window.setTimeout(() => {
      const text = letters.join('');
      const { seconds, rounds } = measure(() => this.segmenter.read(text), BUDGET);
      const part = typed > letters.length ? `the first ${count(letters.length)} of ${count(typed)} letters` : '';
      const mean = rounds > 1 ? `, mean of ${count(rounds)} runs` : '';
      const kilobytes = (bytes: number) => (bytes ? size(bytes) : '– KB');
      this.receipt.say(
        [
          { b: `${part || `${count(letters.length)} letters`} in ${duration(seconds)}` },
          `, here, at the last key${mean}.`,
        ],
        [`${kilobytes(this.weights.code)} of code, ${kilobytes(this.weights.model)} of model. Nothing uploaded.`],
      );
    });
  }

  #tabulate(): void {
    const { words } = this.#reading;
    const read = words.filter(({ probability }) => !Number.isNaN(probability));
    const shown = read.slice(0, TABLE);
    this.#strip.summary = `${count(read.length)} words${read.length > TABLE ? `, the first ${TABLE} of them` : ''}: ${shown
      .map(({ text }) => text)
      .join(' ')}`;
    this.section.querySelector('tbody')!.replaceChildren(
      ...shown.map(({ text, probability }) => {
        const line = document.createElement('tr');
        line.insertCell().textContent = text;
        line.insertCell().textContent = probability.toFixed(2);
        return line;
      }),
    );
  }

  #describe(letter: number): string {
    const { letters, starts } = this.#reading;
    if (letters[letter] === undefined) return 'no letter';
    const where = `letter ${letter + 1} of ${letters.length}: ${alone(letters[letter]!)}`;
    const probability = starts[letter]!;
    return Number.isNaN(probability) ? where : `${where}, a new word with ${probability.toFixed(2)}`;
  }
}
