import type { Thresholds } from '../../voice/stretches.ts';

const LIMITS = [0.02, 0.98] as const;
/** Pixels between the two labels at least. */
const APART = 17;

/** Two handles beside the probability: where speech starts, and where it ends. They are dragged, or moved by arrows. */
export class ThresholdHandles {
  #values: Thresholds = { on: 0.5, off: 0.35 };
  #handles = {
    on: handle('on', 'Speech starts above this probability'),
    off: handle('off', 'Speech ends below this probability'),
  };
  #plot?: HTMLElement;

  constructor(private readonly onChange: (thresholds: Thresholds) => void) {
    for (const name of ['on', 'off'] as const) this.#listen(name);
  }

  /** Puts the handles into the row of the probability. */
  attach(plot: HTMLElement): void {
    this.#plot = plot;
    plot.append(this.#handles.on, this.#handles.off);
    this.#show();
  }

  /** The end never lies above the start: one handle pushes the other. */
  #set(name: 'on' | 'off', wished: number): void {
    const value = Math.round(100 * Math.max(LIMITS[0], Math.min(LIMITS[1], wished))) / 100;
    const { on, off } = this.#values;
    this.#values = name === 'on' ? { on: value, off: Math.min(off, value) } : { on: Math.max(on, value), off: value };
    this.#show();
    this.onChange(this.#values);
  }

  #show(): void {
    const { on, off } = this.#values;
    const aside = Math.max(0, APART - (on - off) * (this.#plot?.clientHeight ?? 80)) / 2;
    for (const [name, verb, sign] of [
      ['on', 'starts above', -1],
      ['off', 'ends below', 1],
    ] as const) {
      const element = this.#handles[name];
      const value = this.#values[name].toFixed(2);
      element.style.bottom = `${100 * this.#values[name]}%`;
      element.style.setProperty('--aside', `${sign * aside}px`);
      element.ariaValueNow = value;
      const [word, figure] = element.firstElementChild!.childNodes;
      word!.textContent = `${verb} `;
      figure!.textContent = value;
    }
  }

  #listen(name: 'on' | 'off'): void {
    const element = this.#handles[name];
    // from where it was taken: a handle does not jump to the pointer
    let taken = { y: 0, value: 0 };
    element.addEventListener('pointerdown', (event) => {
      taken = { y: event.clientY, value: this.#values[name] };
      element.setPointerCapture(event.pointerId);
      element.focus({ preventScroll: true });
      event.preventDefault();
    });
    element.addEventListener('pointermove', (event) => {
      if (!element.hasPointerCapture(event.pointerId)) return;
      this.#set(name, taken.value + (taken.y - event.clientY) / this.#plot!.clientHeight);
    });
    element.addEventListener('keydown', (event) => {
      const step = event.shiftKey ? 0.1 : 0.01;
      const value = this.#values[name];
      const [up, down] = [value + step, value - step];
      const keys: Record<string, number> = {
        ArrowUp: up,
        ArrowRight: up,
        ArrowDown: down,
        ArrowLeft: down,
        Home: LIMITS[0],
        End: LIMITS[1],
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      this.#set(name, keys[event.key]!);
    });
  }
}

function handle(name: string, text: string): HTMLElement {
  const element = document.createElement('div');
  element.className = `threshold ${name}`;
  element.role = 'slider';
  element.tabIndex = 0;
  element.ariaLabel = text;
  element.ariaOrientation = 'vertical';
  [element.ariaValueMin, element.ariaValueMax] = LIMITS.map(String) as [string, string];
  // the words are left out on a phone
  const label = document.createElement('span');
  label.append(document.createElement('i'), '');
  element.append(label);
  return element;
}
