import { signed } from '../../kit/format.ts';
import { factor } from './levels.ts';
import { type AmpFile, describe, knobName } from './model-file.ts';
import type { Rendered } from './render.ts';
import { percent } from './words.ts';

interface Listeners {
  play(): void;
  live(): void;
  /** A tone is what changes the picture too; a switch changes what is heard alone. */
  changed(what: 'tone' | 'switch'): void;
}

/** The panel's buttons and ranges. */
export class Controls {
  bypass = false;
  #section: HTMLElement;
  #drive: HTMLInputElement;
  #level: HTMLInputElement;
  #knobs: HTMLInputElement[] = [];
  #listeners: Listeners;
  #from: string;

  constructor(section: HTMLElement, listeners: Listeners) {
    this.#section = section;
    this.#listeners = listeners;
    [this.#drive, this.#level] = [this.#find('#amp-drive'), this.#find('#amp-level')];
    this.#from = this.#find('[data-fact="from"]').textContent!;
    this.#find('[data-do="play"]').addEventListener('click', () => listeners.play());
    this.#find('[data-do="live"]').addEventListener('click', () => listeners.live());
    this.#find('[data-do="bypass"]').addEventListener('click', ({ currentTarget }) => {
      this.bypass = !this.bypass;
      (currentTarget as HTMLElement).ariaPressed = String(this.bypass);
      listeners.changed('switch');
    });
    for (const radio of section.querySelectorAll('[name="amp-heard"]')) {
      radio.addEventListener('change', () => listeners.changed('switch'));
    }
    for (const range of [this.#drive, this.#level]) {
      const write = () => {
        const decibels = Number(range.value);
        const text = `${decibels > 0 ? '+' : ''}${signed(decibels, 0)} dB`;
        this.#find<HTMLOutputElement>(`output[for="${range.id}"]`).value = text;
        range.ariaValueText = text;
      };
      write();
      range.addEventListener('input', () => {
        write();
        listeners.changed(range === this.#drive ? 'tone' : 'switch');
      });
    }
  }

  get drive(): number {
    return factor(Number(this.#drive.value));
  }
  get level(): number {
    return factor(Number(this.#level.value));
  }
  get heard(): 'guitar' | 'amp' {
    return this.#find<HTMLInputElement>('[name="amp-heard"][value="amp"]').checked ? 'amp' : 'guitar';
  }
  get knobs(): number[] {
    return this.#knobs.map(({ value }) => Number(value));
  }

  set isPlaying(on: boolean) {
    const button = this.#find('[data-do="play"]');
    button.querySelector('use')!.setAttribute('href', on ? '#icon-pause' : '#icon-play');
    button.querySelector('span')!.textContent = on ? 'Pause' : 'Listen';
  }
  set isLive(on: boolean) {
    this.#find('[data-do="live"] span').textContent = on ? 'End live' : 'Play live';
  }
  /** The part of a core that is busy. */
  set load(part: number) {
    this.#find('.amp-load .figure').textContent = percent(part);
    this.#find('.amp-meter span').style.width = `${Math.min(100, 100 * part)}%`;
  }

  /** 1, or -1 for an amp that turns the sign. */
  set polarity(sign: number) {
    this.#find('[data-fact="polarity"]').textContent = sign < 0 ? 'turned; turned back here' : 'kept';
  }

  /** Shows what an amp is, and a range for each of its knobs. */
  show(amp: AmpFile, { latency, knobs }: Rendered): void {
    const { family, network, rate } = describe(amp.text);
    const isOurs = amp.name === 'ts9-lstm8.json';
    const late = latency ? `${(1000 * latency).toFixed(1)} ms, by its rate` : 'nothing';
    const facts = { name: amp.name, family, network, rate, late, from: isOurs ? this.#from : 'your file' };
    for (const [name, text] of Object.entries(facts)) this.#find(`[data-fact="${name}"]`).textContent = text;
    this.#knobs = Array.from({ length: knobs }, (_, k) => this.#makeKnob(k));
    this.#find('.amp-knobs').replaceChildren(...this.#knobs.map((input) => input.parentElement!));
  }

  #makeKnob(k: number): HTMLInputElement {
    const line = Object.assign(document.createElement('p'), { className: 'amp-range' });
    const input = Object.assign(document.createElement('input'), {
      type: 'range',
      id: `amp-knob-${k}`,
      min: '0',
      max: '1',
      step: '0.01',
      value: '0.5',
    });
    const label = Object.assign(document.createElement('label'), { htmlFor: input.id, textContent: knobName(k) });
    const output = Object.assign(document.createElement('output'), { value: '0.50' });
    input.addEventListener('input', () => {
      output.value = Number(input.value).toFixed(2);
      this.#listeners.changed('tone');
    });
    line.append(label, ' ', output, input);
    return input;
  }

  #find<T extends HTMLElement>(selector: string): T {
    return this.#section.querySelector<T>(selector)!;
  }
}
