import type { Strip } from '../../kit/strip.ts';
import type { Shown } from '../../voice/rows.ts';
import { type Stretch, spoken, stretchAt } from '../../voice/stretches.ts';

/** Rows at first, and the most at all: who needs more copies them. */
const [FEW, MANY] = [8, 200];

/** The stretches of speech as a table, whose rows move the strip. */
export class StretchTable {
  #body: HTMLElement;
  #title: HTMLElement;
  #more: HTMLButtonElement;
  #most = FEW;
  #dirty = false;
  #rows: readonly Stretch[] = [];

  constructor(
    element: HTMLElement,
    private readonly strip: Strip,
    private readonly shown: () => Shown,
  ) {
    this.#body = element.querySelector('tbody')!;
    this.#title = element.querySelector('h3')!;
    this.#more = element.querySelector('[data-do="more"]')!;
    this.#more.addEventListener('click', () => {
      this.#most = this.#most === FEW ? MANY : FEW;
      this.show();
    });
    this.#body.addEventListener('click', ({ target }) => {
      const row = (target as HTMLElement).closest('tr');
      const stretch = row && this.#rows[[...this.#body.children].indexOf(row)];
      if (stretch) this.#visit(stretch);
    });
    strip.addEventListener('seek', () => this.#mark());
    const copy = element.querySelector<HTMLButtonElement>('[data-do="json"]')!;
    copy.addEventListener('click', () => void this.#copy(copy));
    setInterval(() => this.#mark(), 250);
  }

  /** Writes it anew before the next frame, as often as it may be called. */
  show(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    requestAnimationFrame(() => {
      this.#dirty = false;
      this.#write();
    });
  }

  #write(): void {
    const { stretches, reading } = this.shown();
    const all = `${spoken(stretches).toFixed(1)} s of ${reading.seconds.toFixed(1)} s`;
    const count = `${stretches.length} stretch${stretches.length === 1 ? '' : 'es'}`;
    const title = reading.steps ? `${count} of speech, ${all}` : 'Stretches of speech';
    if (this.#title.textContent !== title) this.#title.textContent = title;
    this.#rows = stretches.slice(0, this.#most);
    while (this.#body.children.length > Math.max(1, this.#rows.length)) this.#body.lastElementChild!.remove();
    if (!this.#rows.length) this.#body.replaceChildren(...(reading.steps ? [none()] : []));
    for (const [n, stretch] of this.#rows.entries()) {
      let row = this.#body.children[n];
      if (!row?.querySelector('button')) {
        row?.remove();
        row = empty();
        this.#body.append(row);
      }
      fill(row, stretch);
    }
    const hidden = stretches.length - this.#rows.length;
    this.#more.hidden = stretches.length <= FEW;
    this.#more.textContent = this.#most === FEW ? `and ${hidden} more` : 'fewer';
    this.#mark();
  }

  /** Marks the row of the stretch at the playhead. */
  #mark(): void {
    const here = stretchAt(this.shown().stretches, this.strip.playhead);
    for (const [n, row] of [...this.#body.children].entries()) {
      if (here && this.#rows[n] === here) row.setAttribute('aria-current', 'true');
      else row.removeAttribute('aria-current');
    }
  }

  /** Moves the playhead to a stretch, and the part that is shown if it is not all there. */
  #visit({ from, to }: Stretch): void {
    const { strip } = this;
    const span = strip.to - strip.from;
    if (from < strip.from || to > strip.to) {
      const start = Math.max(0, (from + to) / 2 - Math.max(span, 1.5 * (to - from)) / 2);
      strip.look(start, start + Math.max(span, 1.5 * (to - from)));
    }
    strip.playhead = from;
    strip.dispatchEvent(new CustomEvent('seek', { detail: from }));
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    const round = (value: number) => Number(value.toFixed(3));
    const list = this.shown().stretches.map(({ from, to, mean, lowest }) => ({
      start: round(from),
      end: round(to),
      mean: round(mean),
      lowest: round(lowest),
    }));
    const copied = await navigator.clipboard?.writeText(JSON.stringify(list, null, 1)).then(
      () => true,
      () => false,
    );
    button.textContent = copied ? 'Copied' : 'This browser did not allow it';
    setTimeout(() => {
      button.textContent = 'Copy as JSON';
    }, 2000);
  }
}

function empty(): HTMLElement {
  const row = document.createElement('tr');
  const cells = Array.from({ length: 5 }, () => document.createElement('td'));
  const button = document.createElement('button');
  button.type = 'button';
  cells[0]!.append(button);
  row.append(...cells);
  return row;
}

function fill(row: Element, { from, to, mean, lowest }: Stretch): void {
  const texts = [from.toFixed(2), to.toFixed(2), `${(to - from).toFixed(2)} s`, mean.toFixed(3), lowest.toFixed(3)];
  for (const [n, text] of texts.entries()) {
    const cell = row.children[n]!;
    const place = cell.firstElementChild ?? cell;
    if (place.textContent !== text) place.textContent = text;
  }
}

function none(): HTMLElement {
  const row = document.createElement('tr');
  const cell = Object.assign(document.createElement('td'), { colSpan: 5, className: 'none' });
  cell.textContent =
    'No speech above the threshold. Lower it at the right of the probability, or drop another recording.';
  row.append(cell);
  return row;
}
