import './strip.css';
import { onThemeChange, theme } from './theme.ts';
import { type Row, type Ruler, SECONDS, ticks, type Value, type View } from './view.ts';

const RULER_HEIGHT = 30;
/** The least part of the whole that can fill a strip of seconds; of whole steps, four can. */
const DEEPEST = 1 / 400;

interface Drawn {
  readonly row: Row;
  readonly plot: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly value: HTMLElement;
  readonly mark: HTMLElement;
}

/**
 * A strip of paper: rows below each other over one axis of time, a ruler, and a playhead through all of them. The pointer moves the
 * playhead and a click pins it; arrows move it by a step, Shift by ten, + and − zoom, Home and End go to the ends, Escape lets go.
 * Fires `seek` (detail: time) when a visitor moves the playhead, `unit` (detail: -1 or 1) at up and down, `toggle` at Space, and
 * `view` when another part is shown.
 */
export class Strip extends HTMLElement {
  /** The time of an arrow key. */
  step = 0.032;
  ruler: Ruler = SECONDS;
  /** Says what is to be heard and seen at a time, for those who do not see the canvases. */
  describe: (time: number) => string = (time) => this.ruler.text(time, true);
  /** Set while sound plays: the pointer does not move the playhead then, a click does. */
  playing = false;
  #length = 1;
  #from = 0;
  #to = 1;
  #playhead = 0;
  #pinned = false;
  #rows: Drawn[] = [];
  #dirty = false;
  #over = element('div', 'over');
  #line = element('div', 'playhead');
  #tag = document.createElement('output');
  #summary = element('p', 'visually-hidden');
  #observer = new ResizeObserver(() => this.redraw());
  #stop?: () => void;

  connectedCallback(): void {
    if (!this.#over.isConnected) {
      this.#line.append(this.#tag);
      this.#tag.setAttribute('aria-hidden', 'true');
      this.#over.append(this.#line);
      this.#over.tabIndex = 0;
      this.#over.role = 'slider';
      this.#listen();
    }
    this.#over.ariaLabel = this.getAttribute('label') ?? 'Time';
    this.append(this.#summary, this.#over);
    this.#observer.observe(this.#over);
    this.#stop = onThemeChange(() => this.redraw());
  }

  disconnectedCallback(): void {
    this.#observer.disconnect();
    this.#stop?.();
  }

  /** Puts rows in the place of those before, and shows all of `length`. */
  show(rows: readonly Row[], length: number): void {
    for (const { plot } of this.#rows) plot.parentElement!.remove();
    this.#rows = [...rows, this.#rulerRow()].map((row) => this.#place(row));
    this.#length = Math.max(length, this.ruler.least);
    [this.#from, this.#to] = [0, this.#length];
    this.#playhead = Math.min(this.#playhead, this.#length);
    this.#over.ariaValueMin = '0';
    this.#over.ariaValueMax = String(this.#length);
    this.append(this.#over);
    this.redraw();
  }

  /** Says what the strip shows, for those who do not see it. */
  set summary(text: string) {
    this.#summary.textContent = text;
  }

  get length(): number {
    return this.#length;
  }
  /** Lets the strip grow, as when sound comes in; shows the last `span` of it. */
  extend(length: number, span: number): void {
    this.#length = length;
    this.#over.ariaValueMax = String(length);
    this.look(Math.max(0, length - span), Math.max(length, span));
  }

  get from(): number {
    return this.#from;
  }
  get to(): number {
    return this.#to;
  }
  /** Shows a part of the time. */
  look(from: number, to: number): void {
    const span = Math.min(
      Math.max(to - from, this.ruler.least < 1 ? this.#length * DEEPEST : 0, this.ruler.least * 4),
      Math.max(this.#length, to - from),
    );
    const start = Math.max(0, Math.min(from, Math.max(this.#length, to) - span));
    [this.#from, this.#to] = [start, start + span];
    this.redraw();
    this.dispatchEvent(new CustomEvent('view'));
  }
  zoom(times: number, around = this.#playhead): void {
    const span = Math.min(this.#length, (this.#to - this.#from) / times);
    const part = (around - this.#from) / (this.#to - this.#from);
    const from = Math.max(0, Math.min(this.#length - span, around - part * span));
    this.look(from, from + span);
  }

  get playhead(): number {
    return this.#playhead;
  }
  /** Moves the playhead, and the part that is shown if it leaves it. */
  set playhead(time: number) {
    this.#playhead = Math.max(0, Math.min(this.#length, time));
    const span = this.#to - this.#from;
    if (this.#playhead < this.#from || this.#playhead > this.#to) this.look(this.#playhead, this.#playhead + span);
    this.#drawPlayhead();
  }

  /** Draws all rows anew before the next frame, as often as it may be called. */
  redraw(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    requestAnimationFrame(() => {
      this.#dirty = false;
      this.#draw();
    });
  }

  #place(row: Row): Drawn {
    const line = element('div', 'row');
    const label = element('div', 'label');
    if (row.letter) label.append(element('span', 'letter', row.letter));
    if (row.name) label.append(element('b', '', row.name));
    const details = typeof row.detail === 'string' ? [{ text: row.detail }] : (row.detail ?? []);
    for (const { text, tone } of details as readonly Value[])
      label.append(element('span', `detail ${tone ?? ''}`, text), ' ');
    const plot = element('div', 'plot');
    const canvas = document.createElement('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    plot.append(canvas);
    for (const { at, text } of row.ticks ?? []) {
      const tick = element('span', 'tick', text);
      tick.style.bottom = `${100 * at}%`;
      plot.append(tick);
    }
    const value = element('div', 'value');
    plot.style.setProperty('--row', `${row.height}px`);
    plot.style.height = `${matchMedia('(max-width: 640px)').matches ? (row.phone ?? row.height) : row.height}px`;
    if (row.gap) line.style.setProperty('--gap', `${row.gap}px`);
    line.append(label, plot, value);
    const mark = element('span', 'mark');
    mark.hidden = true;
    mark.setAttribute('aria-hidden', 'true');
    plot.append(mark);
    this.append(line);
    row.attach?.(line, plot);
    return { row, plot, canvas, value, mark };
  }

  #rulerRow(): Row {
    return {
      height: RULER_HEIGHT,
      draw: (context, view) => {
        const { large } = ticks(view, this.ruler);
        context.strokeStyle = view.theme.ink3;
        context.fillStyle = view.theme.ink2;
        context.font = '12px "IBM Plex Mono", monospace';
        context.textBaseline = 'top';
        for (const time of large) {
          const x = Math.round(view.x(time)) + 0.5;
          context.beginPath();
          context.moveTo(x, 0);
          context.lineTo(x, 7);
          context.stroke();
          const text = this.ruler.text(time, false);
          if (x + 5 + context.measureText(text).width <= view.width) context.fillText(text, x + 5, 9);
        }
      },
    };
  }

  #draw(): void {
    const width = this.#over.clientWidth;
    if (!width) return;
    const ratio = Math.min(3, devicePixelRatio || 1);
    const phone = matchMedia('(max-width: 640px)').matches;
    const colours = theme();
    for (const { row, plot, canvas } of this.#rows) {
      const height = phone ? (row.phone ?? row.height) : row.height;
      plot.style.height = `${height}px`;
      const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
      const context = canvas.getContext('2d')!;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      const [from, span] = [this.#from, this.#to - this.#from];
      const view: View = {
        from,
        to: this.#to,
        width,
        height,
        ratio,
        theme: colours,
        x: (time) => ((time - from) / span) * width,
        time: (x) => from + (x / width) * span,
      };
      if (row.height !== RULER_HEIGHT) drawGrid(context, view, this.ruler);
      row.draw(context, view);
    }
    this.#drawPlayhead();
  }

  #drawPlayhead(): void {
    const width = this.#over.clientWidth;
    const x = ((this.#playhead - this.#from) / (this.#to - this.#from)) * width;
    this.#line.hidden = !(x >= 0 && x <= width);
    this.#line.style.transform = `translateX(${Math.round(x)}px)`;
    this.#tag.textContent = this.ruler.text(this.#playhead, true);
    // the tag stays on the paper
    const half = this.#tag.offsetWidth / 2;
    const aside = Math.max(0, half - x) - Math.max(0, x + half - width);
    this.#tag.style.translate = `calc(-50% + ${aside}px) 0`;
    this.#over.ariaValueNow = this.#playhead.toFixed(3);
    this.#over.ariaValueText = this.describe(this.#playhead);
    for (const { row, value, mark } of this.#rows) {
      const dot = this.#line.hidden ? undefined : row.mark?.(this.#playhead);
      mark.hidden = !dot;
      if (dot) {
        mark.style.translate = `${Math.round(x)}px ${-100 * dot.at}%`;
        mark.dataset.text = dot.text;
        // what stands beside the dot stays on the paper
        mark.classList.toggle('before', x > width - 56);
        mark.classList.toggle('low', dot.at < 0.25);
      }
      if (!row.value) continue;
      const lines = row.value(this.#playhead);
      value.replaceChildren(...lines.map(({ text, tone }) => element('span', tone ?? '', text)));
    }
  }

  #seek(time: number): void {
    this.playhead = time;
    this.dispatchEvent(new CustomEvent('seek', { detail: this.#playhead }));
  }

  #timeAt(event: MouseEvent): number {
    const box = this.#over.getBoundingClientRect();
    return this.#from + ((event.clientX - box.left) / box.width) * (this.#to - this.#from);
  }

  #listen(): void {
    const over = this.#over;
    over.addEventListener('pointermove', (event) => {
      const dragged = event.buttons === 1;
      if (dragged || (!this.#pinned && !this.playing && event.pointerType === 'mouse')) this.#seek(this.#timeAt(event));
    });
    over.addEventListener('pointerdown', (event) => {
      over.setPointerCapture(event.pointerId);
      this.#pinned = true;
      this.#seek(this.#timeAt(event));
    });
    over.addEventListener('dblclick', () => this.look(0, this.#length));
    over.addEventListener(
      'wheel',
      (event) => {
        const across = event.shiftKey ? event.deltaY : event.deltaX;
        if (event.ctrlKey) this.zoom(2 ** (-event.deltaY / 200), this.#timeAt(event));
        else if (Math.abs(across) > Math.abs(event.shiftKey ? 0 : event.deltaY)) this.#pan(across);
        else return;
        event.preventDefault();
      },
      { passive: false },
    );
    over.addEventListener('keydown', (event) => {
      if (event.altKey || event.metaKey || event.ctrlKey) return;
      const act = this.#keys(event.shiftKey ? 10 : 1)[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  #pan(pixels: number): void {
    const by = (pixels / this.#over.clientWidth) * (this.#to - this.#from);
    const from = Math.max(0, Math.min(this.#length - (this.#to - this.#from), this.#from + by));
    this.look(from, from + (this.#to - this.#from));
  }

  #keys(times: number): Record<string, () => void> {
    const move = (by: number) => () => {
      this.#pinned = true;
      this.#seek(this.#playhead + by);
    };
    const unit = (by: number) => () => this.dispatchEvent(new CustomEvent('unit', { detail: by * times }));
    return {
      ArrowLeft: move(-this.step * times),
      ArrowRight: move(this.step * times),
      Home: move(-this.#length),
      End: move(this.#length),
      ArrowUp: unit(-1),
      ArrowDown: unit(1),
      '+': () => this.zoom(2),
      '=': () => this.zoom(2),
      '-': () => this.zoom(0.5),
      ' ': () => this.dispatchEvent(new CustomEvent('toggle')),
      Escape: () => {
        this.#pinned = false;
      },
    };
  }
}

function drawGrid(context: CanvasRenderingContext2D, view: View, ruler: Ruler): void {
  const { large, small } = ticks(view, ruler);
  for (const [times, colour] of [
    [small, view.theme.grid],
    [large, view.theme.rule],
  ] as const) {
    context.fillStyle = colour;
    for (const time of times) context.fillRect(Math.round(view.x(time)), 0, 1, view.height);
  }
}

function element(tag: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

customElements.define('lw-strip', Strip);
