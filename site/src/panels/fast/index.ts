import { bytes } from '../../../../benchmarks/chart/format.mjs';
import { Receipt } from '../../kit/receipt.ts';
import { draw } from './draw.ts';
import './fast.css';
import { LinkError, linkOf, readLink } from './link.ts';
import recorded from './recorded.json';
import { remark } from './remark.ts';
import type { Result } from './result.ts';
import { type Listener, run } from './run.ts';
import { SHAPES } from './shapes.ts';
import { copy, fillTable, reveal, sayWeight, weights } from './show.ts';
import { textOf, whereOf } from './text.ts';
import { verdict } from './verdict.ts';

/** Where a result comes from, and what stands before its place and date. */
const SOURCES = { here: '', recorded: 'Recorded: ', link: 'From a link: ' };
type Source = keyof typeof SOURCES;

const LABELS = { run: 'Run, 20 s', again: 'Run again, 20 s', stop: 'Stop' };

/** The panel "How fast". */
export function start(section: HTMLElement): void {
  new FastPanel(section).begin();
}

class FastPanel {
  #shown = recorded as unknown as Result;
  #source: Source = 'recorded';
  #running: AbortController | undefined;
  readonly #receipt: Receipt;

  constructor(private readonly section: HTMLElement) {
    this.#receipt = new Receipt(this.#find('.receipt'));
  }

  begin(): void {
    this.#find('[data-run]').addEventListener('click', () => {
      if (this.#running) this.#running.abort();
      else void this.#run(false);
    });
    this.#find('[data-thorough]').addEventListener('click', () => void this.#run(true));
    const numbers = this.#find<HTMLButtonElement>('[data-copy-numbers]');
    numbers.addEventListener('click', () => {
      void copy(numbers, textOf(this.#shown), () => reveal(this.#find('[data-text]')));
    });
    const link = this.#find<HTMLButtonElement>('[data-copy-link]');
    link.addEventListener('click', () => {
      history.replaceState(null, '', linkOf(this.#shown));
      void copy(link, location.href, () => {}, 'It is in the address bar');
    });
    addEventListener('hashchange', () => this.#readLink());
    new ResizeObserver(() => this.#draw()).observe(this.#find('.times'));
    // what can be scrolled can be reached by keys
    for (const region of this.section.querySelectorAll<HTMLElement>('.scroll')) region.tabIndex = 0;
    this.#show(this.#shown, 'recorded');
    this.#tell();
    this.#readLink();
    // as long as nobody has run it, what would be fetched stands in the place of what was
    void sayWeight(this.#find('[data-weights]'), () => this.#source === 'recorded');
    this.#find('.times').dataset.started = '';
  }

  #find<T extends HTMLElement>(selector: string): T {
    return this.section.querySelector<T>(selector)!;
  }

  #draw(): void {
    draw(this.#find('.times'), this.#find('.starts'), this.#shown);
  }

  #show(result: Result, source: Source): void {
    this.#shown = result;
    this.#source = source;
    this.#draw();
    fillTable(this.section, result);
    this.#find('[data-text] pre').textContent = textOf(result);
    this.#find('[data-remark]').textContent = remark(result);
    this.#find('[data-weights]').replaceChildren(...weights(result, source === 'recorded'));
  }

  #tell(): void {
    this.#receipt.say([{ b: verdict(this.#shown) }], [`${SOURCES[this.#source]}${whereOf(this.#shown)}.`]);
  }

  #label(text: string): void {
    this.#find('[data-run] span').textContent = text;
    this.#find('[data-run] svg').toggleAttribute('hidden', text === LABELS.stop);
    for (const button of this.section.querySelectorAll<HTMLButtonElement>('.bar button:not([data-run])')) {
      button.disabled = text === LABELS.stop;
    }
  }

  #readLink(): void {
    try {
      const result = readLink(location.hash);
      if (!result) return;
      this.#running?.abort();
      this.#show(result, 'link');
      this.#tell();
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.#receipt.fail(`The result in this link cannot be read: ${error.message}. Press Run for one of your own.`);
    }
  }

  async #run(thorough: boolean): Promise<void> {
    const before = { result: this.#shown, source: this.#source };
    const running = new AbortController();
    this.#running = running;
    this.#label(LABELS.stop);
    const problems: string[] = [];
    try {
      const result = await run(thorough, this.#listener(problems), running.signal);
      this.#show(result, 'here');
      if (problems.length > 0) this.#receipt.fail(problems.join(' '));
      else this.#tell();
      document.dispatchEvent(new CustomEvent('fast-result', { detail: result }));
    } catch (error) {
      // a link that was opened meanwhile stays
      if (this.#source === 'here') this.#show(before.result, before.source);
      if (running.signal.aborted) this.#tell();
      else this.#receipt.fail(`${(error as Error).message} The figures below are from before.`);
    } finally {
      this.#running = undefined;
      this.#label(this.#source === 'here' ? LABELS.again : LABELS.run);
    }
  }

  #listener(problems: string[]): Listener {
    const receipt = this.#receipt;
    return {
      fetched: (come, all) =>
        receipt.say([{ b: `onnxruntime-web: ${bytes(come)} of ${bytes(all)}` }], ['from this site']),
      warming: () => receipt.say([{ b: 'Warming up' }], ['Browsers compile in the background what is called often.']),
      without: (sentence) => void problems.push(sentence),
      row: (index, seconds, result) => {
        const { label, stream } = SHAPES[index]!;
        this.#show(result, 'here');
        receipt.say(
          [{ b: `Row ${index + 1} of ${SHAPES.length}: ${stream ? 'a step of ' : ''}${label}` }],
          [`${Math.ceil(seconds)} s left; the page stays free.`],
        );
      },
      starting: (result) => {
        this.#show(result, 'here');
        receipt.say([{ b: 'From nothing to the first answer, in new workers' }], ['a few seconds left']);
      },
    };
  }
}
