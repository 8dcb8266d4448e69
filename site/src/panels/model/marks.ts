import type { Strip } from '../../kit/strip.ts';
import { onThemeChange, theme } from '../../kit/theme.ts';
import type { Scale } from './scales.ts';
import type { Gate } from './types.ts';

type RowName = Gate | 'gates' | 'memory' | 'said';

interface Placed {
  readonly line: HTMLElement;
  readonly plot: HTMLElement;
  readonly value: HTMLElement;
  /** Whether the row's lines are the units in their order. */
  readonly isUnits: boolean;
}

/** What stands beside the rows: scales of colours, where the unit is, and values at the playhead. */
export class Marks {
  /** Hears the place of a unit that the pointer is over or takes, from 0 (top) to 1. */
  onUnit: (place: number) => void = () => {};
  #rows = new Map<RowName, Placed>();
  #isHeld = false;
  #redraw: (() => void)[] = [];

  constructor(strip: Strip) {
    onThemeChange(() => {
      for (const redraw of this.#redraw) redraw();
    });
    const pick = (event: PointerEvent) => {
      for (const { plot, isUnits } of this.#rows.values()) {
        const { top, bottom } = plot.getBoundingClientRect();
        if (isUnits && event.clientY >= top && event.clientY < bottom)
          this.onUnit((event.clientY - top) / (bottom - top));
      }
    };
    strip.addEventListener('pointermove', (event) => {
      if (event.buttons === 1 || (!this.#isHeld && event.pointerType === 'mouse')) pick(event);
    });
    strip.addEventListener('pointerdown', (event) => {
      this.#isHeld = true;
      pick(event);
    });
    strip.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#isHeld = false;
      else if (key.startsWith('Arrow')) this.#isHeld = true;
    });
  }

  /** Takes a row that the strip has made. */
  place(name: RowName, line: HTMLElement, plot: HTMLElement, scale?: Scale, isUnits = false): void {
    for (const [other, { line: old }] of this.#rows) if (!old.isConnected) this.#rows.delete(other);
    if (!this.#rows.size) this.#redraw = [];
    const value = line.querySelector<HTMLElement>('.value')!;
    this.#rows.set(name, { line, plot, value, isUnits });
    line.dataset.row = name;
    if (scale) line.querySelector('.label')!.append(this.#scale(scale));
    if (isUnits) plot.append(make('span', 'unit-mark'));
  }

  #scale({ map, low, high }: Scale): HTMLElement {
    const box = make('span', 'scale');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [256, 1];
    const draw = () => {
      const context = canvas.getContext('2d')!;
      const pixels = context.createImageData(256, 1);
      const table = theme().maps[map];
      for (let n = 0; n < 256; n++) pixels.data.set([table[3 * n]!, table[3 * n + 1]!, table[3 * n + 2]!, 255], 4 * n);
      context.putImageData(pixels, 0, 0);
    };
    draw();
    this.#redraw.push(draw);
    canvas.setAttribute('aria-hidden', 'true');
    box.append(canvas, make('span', '', low), make('span', '', high));
    return box;
  }

  /** Marks a unit's line in a map, with its value at the playhead. @param at from 0 (top) to 1 */
  unit(name: Gate, at: number, text: string): void {
    const row = this.#rows.get(name);
    if (!row?.isUnits) return;
    row.line.style.setProperty('--unit', `${100 * at}%`);
    row.value.replaceChildren(make('span', 'at-unit', text));
  }

  /** Names lines at the right of a row, with their values. */
  lines(name: 'gates' | 'memory', values: readonly (readonly [Gate, string])[]): void {
    this.#rows.get(name)?.value.replaceChildren(
      ...values.map(([gate, text]) => {
        const line = make('span', `line gate-${gate}`);
        line.append(make('b', '', gate), ` ${text}`);
        return line;
      }),
    );
  }

  /** Names a row anew. */
  named(name: 'gates', text: string): void {
    const label = this.#rows.get(name)?.line.querySelector('b');
    if (label) label.textContent = text;
  }

  ticks(name: 'memory', ticks: readonly { readonly at: number; readonly text: string }[]): void {
    const found = this.#rows.get(name)?.plot.querySelectorAll<HTMLElement>('.tick') ?? [];
    for (const [n, tick] of [...found].entries()) {
      tick.textContent = ticks[n]!.text;
      tick.style.bottom = `${100 * ticks[n]!.at}%`;
    }
  }

  said(values: readonly string[]): void {
    this.#rows
      .get('said')
      ?.value.replaceChildren(...values.map((text, n) => make('span', ['pen', '', 'rust'][n]!, text)));
  }
}

function make(tag: string, className: string, text = ''): HTMLElement {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
