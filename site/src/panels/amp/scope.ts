import { onThemeChange, theme } from '../../kit/theme.ts';

/** Draws output over input: a straight line is a wire, what bends is distortion, and a loop is memory. */
export class Scope {
  #before: Float32Array = new Float32Array();
  #after: Float32Array = new Float32Array();
  #range: readonly [across: number, up: number] = [1, 1];

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly sentence: HTMLElement,
  ) {
    new ResizeObserver(() => this.#draw()).observe(canvas);
    onThemeChange(() => this.#draw());
  }

  /** The amplitudes at the edges. */
  set range(range: readonly [across: number, up: number]) {
    this.#range = range;
    this.#draw();
  }

  show(before: Float32Array, after: Float32Array): void {
    [this.#before, this.#after] = [before, after];
    this.#draw();
  }

  /** Says what is drawn, for those who do not see it. */
  describe(): void {
    const text = (samples: Float32Array) => (samples.length ? Math.max(...samples.map(Math.abs)).toFixed(2) : '0.00');
    this.sentence.textContent = `In the last 20 ms the input reached ${text(this.#before)}, the output ${text(this.#after)}.`;
  }

  #draw(): void {
    const { clientWidth: size } = this.canvas;
    if (!size) return;
    const ratio = Math.min(3, devicePixelRatio || 1);
    if (this.canvas.width !== Math.round(size * ratio)) {
      [this.canvas.width, this.canvas.height] = [Math.round(size * ratio), Math.round(size * ratio)];
    }
    const context = this.canvas.getContext('2d')!;
    const colours = theme();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size, size);
    context.strokeStyle = colours.rule;
    context.lineWidth = 1;
    context.strokeRect(0.5, 0.5, size - 1, size - 1);
    context.fillStyle = colours.rule;
    context.fillRect(Math.round(size / 2), 0, 1, size);
    context.fillRect(0, Math.round(size / 2), size, 1);
    const place = (value: number, range: number) => (size / 2) * (1 + (0.92 * value) / range);
    context.beginPath();
    for (const [n, value] of this.#before.entries()) {
      context.lineTo(place(value, this.#range[0]), size - place(this.#after[n]!, this.#range[1]));
    }
    context.strokeStyle = colours.pen;
    context.lineWidth = 1.25;
    context.lineJoin = 'round';
    context.stroke();
  }
}
