import { count } from '../../kit/format.ts';
import type { Piece } from './equation.ts';
import type { Cell, Content, Described, Ran, Trouble } from './types.ts';

// What stands beside the strip. Text of a file goes into text nodes alone.

/** An element with text. */
export function make(tag: string, className: string, ...parts: readonly (string | Node)[]): HTMLElement {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...parts);
  return element;
}

/** Rows of branches that a run did not take are left out. */
function isTaken({ branch = [] }: Content, taken: readonly (readonly string[])[]): boolean {
  return taken.length === 0 || taken.some((path) => branch.every((step, depth) => path[depth] === step));
}

/**
 * Lists what is in a file. An LSTM is a button that shows its gates.
 * @param cells those of the last run; without a run there are no buttons
 * @param current the name of the LSTM that is shown
 */
export function showContents(
  root: HTMLElement,
  { contents, more, parameters, format }: Described,
  cells: readonly Cell[],
  current: string | undefined,
  onChoose: (lstm: string) => void,
): void {
  const ran = new Set(cells.map(({ lstm }) => lstm));
  const taken = contents.filter(({ lstm }) => lstm !== undefined && ran.has(lstm)).map(({ branch = [] }) => branch);
  const rows = contents.filter((content) => isTaken(content, taken));
  const isSeveral = format !== 'ONNX' && contents.filter(({ lstm }) => lstm).length > 1;
  root.querySelector('tbody')!.replaceChildren(
    ...rows.map(({ text, name, numbers, lstm }) => {
      const row = make('tr', '');
      const label = lstm !== undefined && (ran.has(lstm) || isSeveral) ? button(text, () => onChoose(lstm)) : text;
      const cell = make('td', '', label);
      cell.title = name === text ? text : `${text}: ${name}`;
      row.append(cell, make('td', '', numbers ? count(numbers) : '–'));
      if (lstm !== undefined && lstm === current) row.setAttribute('aria-current', 'true');
      return row;
    }),
  );
  const hidden = contents.length - rows.length;
  root.querySelector('.more')!.textContent = [
    `${count(parameters)} numbers`,
    more ? `${count(more)} more` : '',
    hidden ? `${count(hidden)} in branches not taken` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function button(text: string, act: () => void): HTMLElement {
  const made = make('button', '', text) as HTMLButtonElement;
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
}

/** Says why a file does not run, with the facts of the error. */
export function showTrouble(box: HTMLElement, trouble: Trouble | undefined): void {
  box.hidden = !trouble;
  if (!trouble) {
    box.replaceChildren();
    return;
  }
  const { message, missing, facts } = trouble;
  const list = make('ul', '', ...missing.map((name) => make('li', '', name)));
  list.tabIndex = 0;
  list.ariaLabel = 'What is missing';
  const table = make(
    'dl',
    '',
    ...facts
      .filter(([name]) => name !== 'found' || !missing.length)
      .flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]),
  );
  box.replaceChildren(make('p', '', message), ...(missing.length ? [list] : []), ...(facts.length ? [table] : []));
}

/** Writes what a unit does at a step. */
export function showMoment(
  root: HTMLElement,
  moment:
    | { readonly unit: number; readonly time: string; readonly step: number; readonly pieces: readonly Piece[][] }
    | undefined,
): void {
  const title = root.querySelector('h3')!;
  const box = root.querySelector('.equation')!;
  if (!moment) {
    title.textContent = 'A unit at a step';
    box.replaceChildren();
    return;
  }
  title.textContent = `Unit ${count(moment.unit)} at ${moment.time}step ${count(moment.step)}`;
  box.replaceChildren(
    ...moment.pieces.flatMap((line) => [
      ...line.map(({ text, gate }) => (gate ? make('span', `gate-${gate}`, text) : document.createTextNode(text))),
      document.createTextNode('\n'),
    ]),
  );
}

/** The cells of a run, to choose one. */
export function showCells(select: HTMLSelectElement, { cells }: Ran, key: string | undefined): void {
  select.disabled = cells.length < 2;
  select.parentElement!.hidden = select.disabled;
  const options = cells.map(({ key: value, lstm, which, hidden }) => {
    const name = lstm.length > 28 ? `…${lstm.slice(-27)}` : lstm;
    const option = make(
      'option',
      '',
      `${which ? `${which}, ` : ''}${count(hidden)} units, ${name}`,
    ) as HTMLOptionElement;
    option.value = value;
    option.selected = value === key;
    return option;
  });
  select.replaceChildren(...(options.length ? options : [make('option', '', '–')]));
}
