import type { Theme } from './theme.ts';

/** The part of a strip's time that is drawn, and where it lies on a canvas. */
export interface View {
  /** The time at the left edge, and at the right. */
  readonly from: number;
  readonly to: number;
  /** CSS pixels */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS pixel */
  readonly ratio: number;
  readonly theme: Theme;
  /** Where a time lies, in CSS pixels. */
  x(time: number): number;
  /** The time at a place. */
  time(x: number): number;
}

export interface Value {
  readonly text: string;
  readonly tone?: 'ink' | 'pen' | 'rust';
}

/** A row of a strip: what it is, and how to draw and read it. */
export interface Row {
  /** A word in bold: Heard, Remembered, Said. */
  readonly name?: string;
  /** A large letter in place of the name, as of a gate. */
  readonly letter?: string;
  /** What stands below the name; a line break begins a new line, and so does each part with a tone of its own. */
  readonly detail?: string | readonly Value[];
  /** CSS pixels, on a wide page and on a phone. */
  readonly height: number;
  readonly phone?: number;
  /** CSS pixels of empty paper above. */
  readonly gap?: number;
  /** Labels of the vertical axis: `at` is 0 at the bottom of the row and 1 at its top. */
  readonly ticks?: readonly { readonly at: number; readonly text: string }[];
  /** Draws into a canvas that is cleared and scaled to CSS pixels; the time grid lies below. */
  draw(context: CanvasRenderingContext2D, view: View): void;
  /** What stands at the right for the playhead's time. */
  value?(time: number): readonly Value[];
  /** A dot on the playhead, and what stands beside it: `at` is 0 at the bottom of the row and 1 at its top. */
  mark?(time: number): { readonly at: number; readonly text: string } | undefined;
  /** Puts controls of the panel's own into the row. Those beside the plot or above `.over` (z-index) meet the pointer. */
  attach?(line: HTMLElement, plot: HTMLElement): void;
}

/** How a strip names and divides its time. */
export interface Ruler {
  /** The text at a tick, and in the playhead's tag with `exact`. */
  text(time: number, exact: boolean): string;
  /** The least time between two ticks: 1 where only whole steps have a meaning. */
  readonly least: number;
}

export const SECONDS: Ruler = {
  text: (time, exact) => `${exact ? time.toFixed(2) : Number(time.toFixed(3))} s`,
  least: 1e-3,
};

export const STEPS: Ruler = {
  text: (time, exact) => (exact ? `step ${Math.floor(time)}` : String(Math.round(time))),
  least: 1,
};

/** Times of the large and the small ticks of a view: large ones 1, 2 or 5 times a power of ten apart, at least `apart` pixels. */
export function ticks(
  view: Pick<View, 'from' | 'to' | 'width'>,
  ruler: Ruler,
  apart = 80,
): { large: number[]; small: number[] } {
  const least = Math.max(ruler.least, ((view.to - view.from) * apart) / Math.max(1, view.width));
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= least * 0.999) ?? 10 * power;
  const fifth = Math.max(ruler.least, step / 5);
  const times = (every: number) => {
    const first = Math.ceil(view.from / every - 1e-6);
    const last = Math.floor(view.to / every + 1e-6);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => (first + n) * every);
  };
  return { large: times(step), small: times(fifth) };
}
