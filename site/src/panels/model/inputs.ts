import { takeChosen } from '../../kit/drop.ts';
import { loadInput, loadRecording } from './example.ts';
import type { Given, Source } from './types.ts';

const FILE_LABEL = 'A .wav, .npy or .csv';

/** What a model is run on: the recording, random or typed numbers, or a file. */
export class Inputs {
  #file: File | undefined;
  #seed = 1;

  /** @param onChange hears that another was chosen and can be run */
  constructor(
    private readonly section: HTMLElement,
    private readonly onChange: () => void,
  ) {
    section.querySelector('[data-choice="source"]')!.addEventListener('change', (event) => {
      const { type, value } = event.target as HTMLInputElement;
      if (type !== 'radio') return;
      this.#name(undefined);
      section.querySelector<HTMLElement>('.typed')!.hidden = value !== 'typed';
      if (value !== 'typed') onChange();
      else this.#numbers.focus();
    });
    takeChosen(section.querySelector<HTMLInputElement>('[data-input]')!, ([file]) => this.take(file!));
  }

  get #radios(): HTMLInputElement[] {
    return [...this.section.querySelectorAll<HTMLInputElement>('[name="model-source"]')];
  }

  get #numbers(): HTMLTextAreaElement {
    return this.section.querySelector('textarea')!;
  }

  /** Takes a file of inputs. */
  take(file: File): void {
    this.#name(file);
    for (const radio of this.#radios) radio.checked = false;
    this.section.querySelector<HTMLElement>('.typed')!.hidden = true;
    this.onChange();
  }

  /** Names the file that is fed, in place of what else there is to choose. */
  #name(file: File | undefined): void {
    this.#file = file;
    const chip = this.section.querySelector('.chip')!;
    chip.classList.toggle('chosen', file !== undefined);
    const name = file && (file.name.length > 24 ? `${file.name.slice(0, 23)}…` : file.name);
    chip.querySelector('span')!.textContent = name ?? FILE_LABEL;
  }

  /** Offers what another model can be run on. @param takes what may be typed */
  offer(offers: readonly Source[], takes: string): void {
    this.#name(undefined);
    const radios = this.#radios;
    for (const radio of radios) radio.disabled = !offers.includes(radio.value as Source);
    this.section.querySelector<HTMLInputElement>('[data-input]')!.disabled = offers.length === 0;
    const chosen = radios.find(({ checked, disabled }) => checked && !disabled);
    // numbers that were typed for another model seldom fit
    if (!chosen || chosen.value === 'typed') {
      const first = radios.find(({ disabled }) => !disabled);
      if (first) first.checked = true;
      this.section.querySelector<HTMLElement>('.typed')!.hidden = true;
    }
    this.section.querySelector('.typed label')!.textContent = `A row a step, with commas: ${takes}`;
  }

  /** @param rate samples a second of sound */
  async given(rate: number): Promise<Given> {
    if (this.#file) return loadInput(this.#file, rate);
    const source = this.#radios.find(({ checked }) => checked)?.value as Source | undefined;
    if (source === 'random') return { kind: 'random', seed: this.#seed++ };
    if (source === 'typed') return { kind: 'typed', text: this.#numbers.value };
    return loadRecording(rate);
  }
}
