import { lineRow, pictureRow, type Series } from '../../kit/rows.ts';
import type { Strip } from '../../kit/strip.ts';
import { type Row, SECONDS, STEPS } from '../../kit/view.ts';
import { equationOf, momentOf, type Piece, sentenceOf } from './equation.ts';
import { heatRow, linesFor, seriesOf, shadesOf } from './heat.ts';
import { detailOf, HEIGHTS, PHONE, roundUp, saidTexts, TONES, tick } from './looks.ts';
import { Marks } from './marks.ts';
import { valueText } from './numbers.ts';
import { evenScale, rangeOf } from './scales.ts';
import { type Seen, scaleOf } from './seen.ts';
import { GATES, type Gate, type Gates, type Ran } from './types.ts';

/** The strip of a run: what went in, the gates of a cell, the lines of one unit, what came out. */
export class Chart {
  #strip: Strip;
  #marks: Marks;
  #ran: Ran | undefined;
  #gates: Gates | undefined;
  #order: Uint32Array = new Uint32Array(0);
  #unit = 0;
  #lines: Partial<Record<Gate, Float32Array>> = {};

  /** @param onMoment hears when another unit or time is looked at */
  constructor(
    strip: Strip,
    private readonly onMoment: () => void,
  ) {
    this.#strip = strip;
    this.#marks = new Marks(strip);
    strip.addEventListener('seek', () => this.#look());
    strip.addEventListener('unit', (event) => this.#step((event as CustomEvent<number>).detail));
    this.#marks.onUnit = (place) =>
      this.unit(this.#order[Math.min(this.#order.length - 1, Math.floor(place * this.#order.length))]!);
  }

  /** Shows a run. @param keep whether the part of the time that is seen stays */
  show(ran: Ran, seen: Seen | undefined, order: Uint32Array, keep: boolean): void {
    const gates = seen?.gates;
    const strip = this.#strip;
    const view = keep && this.#ran ? ([strip.from, strip.to] as const) : undefined;
    const isNew = this.#gates?.key !== gates?.key || this.#gates?.hidden !== gates?.hidden;
    [this.#ran, this.#gates, this.#order] = [ran, gates, order];
    strip.ruler = ran.isSound ? SECONDS : STEPS;
    strip.step = gates ? ran.length / gates.count : ran.isSound ? 0.032 : 1;
    strip.describe = (time) => this.#describe(time);
    strip.show(this.#rows(ran, seen), ran.length);
    if (view) strip.look(...view);
    if (isNew || this.#unit >= order.length) this.#unit = order.at(-1) ?? 0;
    this.unit(this.#unit);
  }

  /** Moves the playhead. */
  seek(time: number): void {
    this.#strip.playhead = time;
    this.#look();
  }

  /** Sorts the units anew. */
  sort(order: Uint32Array): void {
    this.#order = order;
    this.#strip.redraw();
    this.#look();
  }

  /** Picks a unit. */
  unit(unit: number): void {
    const gates = this.#gates;
    if (gates) {
      this.#unit = unit;
      this.#lines = Object.fromEntries(GATES.map((name) => [name, seriesOf(gates[name], gates, unit)]));
      this.#strip.redraw();
    }
    this.#look();
  }

  get moment():
    | { readonly unit: number; readonly time: string; readonly step: number; readonly pieces: readonly Piece[][] }
    | undefined {
    const gates = this.#gates;
    if (!gates) return undefined;
    const step = this.#at(this.#strip.playhead);
    const time = this.#ran!.isSound ? `${this.#strip.playhead.toFixed(2)} s, ` : '';
    return { unit: this.#unit, time, step, pieces: equationOf(momentOf(gates, step, this.#unit), gates.isPlain) };
  }

  /** How many units share a line of the largest map, if more than one do. */
  get sharing(): number {
    const lines = linesFor(this.#order.length, HEIGHTS.c, Math.min(3, devicePixelRatio || 1));
    return this.#order.length > lines ? this.#order.length / lines : 0;
  }

  #at(time: number): number {
    const { count } = this.#gates!;
    return Math.max(0, Math.min(count - 1, Math.floor((time / this.#ran!.length) * count + 1e-6)));
  }

  #step(by: number): void {
    if (!this.#gates) return;
    const place = this.#order.indexOf(this.#unit);
    this.unit(this.#order[Math.max(0, Math.min(this.#order.length - 1, place + by))]!);
  }

  #describe(time: number): string {
    const when = this.#strip.ruler.text(time, true);
    const gates = this.#gates;
    const said = this.#saidAt(time).map(valueText).slice(0, 4).join(', ');
    const answer = said ? `; says ${said}` : '';
    if (!gates) return when + answer;
    return `${when}, unit ${this.#unit}: ${sentenceOf(momentOf(gates, this.#at(time), this.#unit), gates.isPlain)}${answer}`;
  }

  #look(): void {
    const gates = this.#gates;
    if (gates) {
      const moment = momentOf(gates, this.#at(this.#strip.playhead), this.#unit);
      const place = (this.#order.indexOf(this.#unit) + 0.5) / this.#order.length;
      for (const name of GATES) this.#marks.unit(name, place, valueText(moment[name]));
      this.#marks.lines(
        'gates',
        (['o', 'f', 'i'] as const).map((name) => [name, valueText(moment[name])] as const),
      );
      this.#marks.lines(
        'memory',
        (['c', 'g', 'h'] as const).map((name) => [name, valueText(moment[name])] as const),
      );
      this.#marks.named('gates', `Unit ${this.#unit}`);
      const [low, high] = this.#memoryRange();
      this.#marks.ticks('memory', [tick(0, low), tick(-low / (high - low), 0), tick(1, high)]);
    }
    this.#marks.said(saidTexts(this.#saidAt(this.#strip.playhead)));
    this.onMoment();
  }

  #saidAt(time: number): number[] {
    const said = this.#ran?.said;
    if (!said) return [];
    const n = Math.max(0, Math.min(said.count - 1, Math.floor((time / this.#ran!.length) * said.count + 1e-6)));
    return Array.from(said.data.subarray(n * said.width, (n + 1) * said.width));
  }

  /** The ends of the unit's memory row: round numbers around c, g and h. */
  #memoryRange(): readonly [low: number, high: number] {
    let [low, high] = [-1, 1];
    for (const value of this.#lines.c ?? []) {
      if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    return [-roundUp(-low), roundUp(high)];
  }

  #rows(ran: Ran, seen: Seen | undefined): Row[] {
    return [this.#heard(ran), ...(seen ? this.#gateRows(ran, seen) : []), ...(ran.said ? [this.#said(ran)] : [])];
  }

  #heard({ heard, said, length, isSound }: Ran): Row {
    const looks = { name: 'Heard', detail: heard.detail, height: 52, phone: 44, gap: 22 };
    if (heard.line) {
      const line = {
        values: heard.line,
        count: heard.columns,
        every: heard.every,
        colour: 'ink2' as const,
        width: 1.25,
      };
      const range = rangeOf(heard.line);
      return { ...lineRow(looks, () => [line], { range: [-range, range] }) };
    }
    const isYes = (time: number) => {
      if (!isSound || said?.width !== 1) return false;
      return said.data[Math.min(said.count - 1, Math.floor((time / length) * said.count))]! > 0.5;
    };
    return pictureRow(
      looks,
      () => ({ ...heard, upwards: true }),
      (time) => (isYes(time) ? 'pen' : 'ink'),
    );
  }

  #gateRows(ran: Ran, { gates, shades, ranges }: Seen): Row[] {
    const every = ran.length / gates.count;
    const order = () => this.#order;
    const maps = GATES.map((name): Row => {
      const scale = scaleOf(name, ranges);
      const isOwn = name !== 'h' || gates.out === gates.hidden;
      const looks = {
        letter: name,
        detail: detailOf(name, scale, gates),
        height: HEIGHTS[name],
        phone: PHONE[name],
        gap: 16,
      };
      const width = name === 'h' ? gates.out : gates.hidden;
      const numbers = Uint32Array.from({ length: width }, (_, n) => n);
      const row = heatRow(
        looks,
        { data: shades[name], width, count: gates.count },
        scale,
        every,
        isOwn ? order : () => numbers,
      );
      return { ...row, attach: (line, plot) => this.#marks.place(name, line, plot, scale, isOwn) };
    });
    return [...maps, ...this.#lineRows(every)];
  }

  #lineRows(every: number): Row[] {
    const series = (names: readonly Gate[]) =>
      names.flatMap((name): Series[] => {
        const values = this.#lines[name];
        return values ? [{ values, count: values.length, every, colour: TONES[name], width: 1.5 }] : [];
      });
    const gateLooks = {
      name: 'Unit 0',
      detail: 'its gates',
      height: 76,
      phone: 72,
      gap: 20,
      ticks: [tick(0, 0), tick(1, 1)],
    };
    const looks = {
      detail: 'its memory',
      height: 88,
      phone: 80,
      gap: 14,
      ticks: [tick(0, -1), tick(0.5, 0), tick(1, 1)],
    };
    const gateRow = lineRow(gateLooks, () => series(['i', 'f', 'o']), { range: [0, 1] });
    return [
      { ...gateRow, attach: (line, plot) => this.#marks.place('gates', line, plot) },
      {
        ...looks,
        attach: (line, plot) => this.#marks.place('memory', line, plot),
        draw: (context, view) => {
          const range = this.#memoryRange();
          const options = { range, levels: () => [0] };
          lineRow(looks, () => series(['g', 'h', 'c']), options).draw(context, view);
        },
      },
    ];
  }

  #said({ said, length }: Ran): Row {
    const { name, data, width, count } = said!;
    const every = length / count;
    const attach = (line: HTMLElement, plot: HTMLElement) => this.#marks.place('said', line, plot);
    const looks = {
      name: 'Said',
      detail: name.length > 24 ? `${name.slice(0, 23)}…` : name,
      height: 48,
      phone: 44,
      gap: 24,
    };
    if (width > 3) {
      const scale = evenScale(rangeOf(data));
      const numbers = Uint32Array.from({ length: width }, (_, n) => n);
      return {
        ...heatRow(
          { ...looks, detail: `${looks.detail}\n${width} numbers` },
          { data: shadesOf(data, scale), width, count },
          scale,
          every,
          () => numbers,
        ),
        attach,
      };
    }
    const columns = (['pen', 'ink2', 'rust'] as const).slice(0, width).map((colour, column): Series => {
      const values = Float32Array.from({ length: count }, (_, n) => data[n * width + column]!);
      return { values, count, every, colour, ...(width === 1 ? { wash: 'penwash' as const } : {}), width: 1.5 };
    });
    const isShare = data.every((value) => value >= 0 && value <= 1);
    const range = rangeOf(data);
    const row = lineRow(looks, () => columns, { range: isShare ? [0, 1] : [-range, range] });
    return { ...row, attach };
  }
}
