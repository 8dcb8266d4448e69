import type { Strip } from '../../kit/strip.ts';
import { onThemeChange, theme } from '../../kit/theme.ts';
import type { View } from '../../kit/view.ts';
import { type Shown, soundRow } from '../../voice/rows.ts';

/** CSS pixels: the narrowest window, how near to an edge the pointer takes it, and the edges' handles. */
const NARROWEST = 12;
const NEAR = 10;
const GRIP = [5, 16] as const;

type Edge = 'from' | 'to' | 'both';

/** The whole recording in a row, with a window on the part that the strip shows: it is dragged, drawn wider, or moved by arrows. */
export class Overview {
  #plot: HTMLElement;
  #window: HTMLElement;
  #canvas: HTMLCanvasElement;
  #row = soundRow({ height: 50 }, () => this.shown());
  #dirty = false;

  constructor(
    private readonly element: HTMLElement,
    private readonly strip: Strip,
    private readonly shown: () => Shown & { readonly name: string },
  ) {
    this.#plot = element.querySelector('.plot')!;
    this.#window = element.querySelector('.window')!;
    this.#canvas = element.querySelector('canvas')!;
    strip.addEventListener('view', () => this.show());
    new ResizeObserver(() => this.show()).observe(this.#plot);
    onThemeChange(() => this.show());
    this.#listen();
  }

  /** Draws it anew before the next frame, as often as it may be called. */
  show(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    requestAnimationFrame(() => {
      this.#dirty = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#plot;
    const ratio = Math.min(3, devicePixelRatio || 1);
    [this.#canvas.width, this.#canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = this.#canvas.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { length } = this.strip;
    const view: View = {
      from: 0,
      to: length,
      width,
      height,
      ratio,
      theme: theme(),
      x: (time) => (time / length) * width,
      time: (x) => (x / width) * length,
    };
    this.#row.draw(context, view);
    this.#drawWindow(context, view);
    this.element.querySelector('.value')!.textContent = `${length.toFixed(1)} s`;
    const name = this.element.querySelector<HTMLElement>('.name')!;
    if (name.textContent !== this.shown().name) name.textContent = name.title = this.shown().name;
    this.#sayWindow();
  }

  /** The window is drawn, not laid out: nothing on the page moves when another part is shown. */
  #drawWindow(context: CanvasRenderingContext2D, view: View): void {
    const [left, right] = [view.x(this.strip.from), Math.min(view.width, view.x(this.strip.to))];
    context.strokeStyle = context.fillStyle = view.theme.ink;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 3.75, Math.max(1, right - left - 1.5), view.height - 7.5);
    for (const x of [left + 0.75, right - 0.75]) {
      const at = Math.max(0, Math.min(view.width - GRIP[0], x - GRIP[0] / 2));
      context.fillRect(at, (view.height - GRIP[1]) / 2, ...GRIP);
    }
  }

  #sayWindow(): void {
    const { from, to, length } = this.strip;
    this.#window.ariaValueMax = length.toFixed(2);
    this.#window.ariaValueNow = from.toFixed(2);
    this.#window.ariaValueText = `${from.toFixed(1)} to ${Math.min(to, length).toFixed(1)} s of ${length.toFixed(1)} s`;
  }

  /** What the pointer takes at a time: an edge, the window, or nothing. */
  #edgeAt(time: number): Edge | undefined {
    const { from, to, length } = this.strip;
    const near = (NEAR / this.#plot.clientWidth) * length;
    const isNear = (edge: number) => Math.abs(time - edge) < Math.min(near, (to - from) / 3 + near / 3);
    if (isNear(to)) return 'to';
    if (isNear(from)) return 'from';
    return time > from && time < to ? 'both' : undefined;
  }

  #listen(): void {
    let drag: { edge: Edge; at: number; from: number; to: number } | undefined;
    const timeAt = ({ clientX }: PointerEvent) => {
      const { left, width } = this.#plot.getBoundingClientRect();
      return ((clientX - left) / width) * this.strip.length;
    };
    this.#plot.addEventListener('pointerdown', (event) => {
      const at = timeAt(event);
      const span = this.strip.to - this.strip.from;
      const edge = this.#edgeAt(at);
      // beside the window: it comes under the pointer
      if (!edge) this.strip.look(at - span / 2, at + span / 2);
      const { from, to } = this.strip;
      drag = { edge: edge ?? 'both', at, from, to };
      this.#plot.setPointerCapture(event.pointerId);
    });
    this.#plot.addEventListener('pointermove', (event) => {
      if (drag) return this.#drag(drag, timeAt(event) - drag.at);
      const edge = this.#edgeAt(timeAt(event));
      this.#plot.style.cursor = edge === 'both' ? 'grab' : edge ? 'ew-resize' : 'pointer';
    });
    for (const type of ['pointerup', 'pointercancel']) {
      this.#plot.addEventListener(type, () => {
        drag = undefined;
      });
    }
    this.#window.addEventListener('keydown', (event) => this.#key(event));
  }

  #drag({ edge, from, to }: { edge: Edge; from: number; to: number }, by: number): void {
    const { length } = this.strip;
    const narrowest = (NARROWEST / this.#plot.clientWidth) * length;
    if (edge === 'from') this.strip.look(Math.max(0, Math.min(from + by, to - narrowest)), to);
    else if (edge === 'to') this.strip.look(from, Math.min(length, Math.max(to + by, from + narrowest)));
    else {
      const start = Math.max(0, Math.min(from + by, length - (to - from)));
      this.strip.look(start, start + to - from);
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { from, to, length } = this.strip;
    const by = (event.shiftKey ? 1 : 0.1) * (to - from);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => this.#drag({ edge: 'both', from, to }, -by),
      ArrowRight: () => this.#drag({ edge: 'both', from, to }, by),
      Home: () => this.#drag({ edge: 'both', from, to }, -length),
      End: () => this.#drag({ edge: 'both', from, to }, length),
      '+': () => this.strip.zoom(2, (from + to) / 2),
      '=': () => this.strip.zoom(2, (from + to) / 2),
      '-': () => this.strip.zoom(0.5, (from + to) / 2),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
