import { bytes, duration } from '../../../../benchmarks/chart/format.mjs';
import { Receipt } from '../../kit/receipt.ts';
import { draw } from './draw.ts';
import './fast.css';
import { LinkError, linkOf, readLink } from './link.ts';
import recorded from './recorded.json';
import { remark } from './remark.ts';
import type { Result } from './result.ts';
import { BASE, run } from './run.ts';
import { SHAPES } from './shapes.ts';
import { tableOf, textOf, whereOf } from './text.ts';
import { DRAW_NOTE, verdict } from './verdict.ts';

/** Where a result comes from. */
type Source = 'here' | 'recorded' | 'link';

const LABELS = { run: 'Run, 20 s', again: 'Run again, 20 s', stop: 'Stop' };
const SAID = 2000;

/** The panel "How fast". */
export function start(section: HTMLElement): void {
  const find = <T extends HTMLElement>(selector: string) => section.querySelector<T>(selector)!;
  const [times, starts] = [find('.times'), find('.starts')];
  const button = find<HTMLButtonElement>('[data-run]');
  const others = [...section.querySelectorAll<HTMLButtonElement>('.bar button:not([data-run])')];
  const receipt = new Receipt(find('.receipt'));
  let shown = recorded as unknown as Result;
  let source: Source = 'recorded';
  let stop: AbortController | undefined;

  const redraw = () => draw(times, starts, shown);
  const show = (result: Result, from: Source) => {
    shown = result;
    source = from;
    redraw();
    fillTable(section, result);
    find('[data-text] pre').textContent = textOf(result);
    find('[data-remark]').textContent = remark(result);
    find('[data-weights]').replaceChildren(...weights(result));
  };
  const tell = () => {
    const place = { here: '', recorded: 'Recorded: ', link: 'From a link: ' }[source];
    receipt.say([{ b: verdict(shown) }], [`${place}${whereOf(shown)}.`]);
  };
  const label = (text: string) => {
    find('[data-run] span').textContent = text;
    find('[data-run] svg').toggleAttribute('hidden', text === LABELS.stop);
  };

  const fromLink = () => {
    try {
      const result = readLink(location.hash);
      if (!result) return;
      stop?.abort();
      show(result, 'link');
      tell();
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      receipt.fail(`The result in this link cannot be read: ${error.message}. Press Run for one of your own.`);
    }
  };

  const begin = async (thorough: boolean) => {
    const before = { result: shown, source };
    stop = new AbortController();
    label(LABELS.stop);
    for (const other of others) other.disabled = true;
    try {
      let alone = '';
      const result = await run(
        thorough,
        {
          fetched: (come, all) =>
            receipt.say([{ b: `onnxruntime-web: ${bytes(come)} of ${bytes(all)}` }], ['from this site']),
          alone: (reason) => {
            alone = reason;
          },
          warming: () =>
            receipt.say([{ b: 'Warming up' }], ['Browsers compile in the background what is called often.']),
          row(index, seconds, result) {
            const { label, stream } = SHAPES[index]!;
            show(result, 'here');
            receipt.say(
              [{ b: `Row ${index + 1} of ${SHAPES.length}: ${stream ? 'a step of ' : ''}${label}` }],
              [`${Math.ceil(seconds)} s left; the page stays free.`],
            );
          },
          starting(result) {
            show(result, 'here');
            receipt.say([{ b: 'From nothing to the first answer, in new workers' }], ['a few seconds left']);
          },
        },
        stop.signal,
      );
      show(result, 'here');
      if (alone) receipt.fail(`${alone} Measured without onnxruntime-web.`);
      else tell();
      label(LABELS.again);
      document.dispatchEvent(new CustomEvent('fast-result', { detail: result }));
    } catch (error) {
      show(before.result, before.source);
      if ((error as Error).name === 'AbortError') tell();
      else receipt.fail(`${(error as Error).message} The figures below are from before.`);
      label(LABELS.run);
    } finally {
      stop = undefined;
      for (const other of others) other.disabled = false;
    }
  };

  button.addEventListener('click', () => (stop ? stop.abort() : void begin(false)));
  find('[data-thorough]').addEventListener('click', () => void begin(true));
  find<HTMLButtonElement>('[data-copy-numbers]').addEventListener('click', (event) => {
    void copy(event.currentTarget as HTMLButtonElement, textOf(shown), () => reveal(find('[data-text]')));
  });
  find<HTMLButtonElement>('[data-copy-link]').addEventListener('click', (event) => {
    history.replaceState(null, '', linkOf(shown));
    void copy(event.currentTarget as HTMLButtonElement, location.href, () => {}, 'It is in the address bar');
  });
  addEventListener('hashchange', fromLink);
  new ResizeObserver(redraw).observe(times);
  show(shown, source);
  tell();
  fromLink();
  void sayWeight(find('[data-weights]'), () => source === 'recorded');
  // what can be scrolled can be reached by keys
  for (const region of section.querySelectorAll<HTMLElement>('.scroll')) region.tabIndex = 0;
  times.dataset.started = '';
}

/** Copies a text and says so on the button; where the browser does not let it, `otherwise` shows it. */
async function copy(
  button: HTMLButtonElement,
  text: string,
  otherwise: () => void,
  failed = 'Select it below and copy',
) {
  const label = button.textContent;
  const done = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  if (!done) otherwise();
  button.textContent = done ? 'Copied' : failed;
  setTimeout(() => {
    button.textContent = label;
  }, SAID);
}

function reveal(details: HTMLElement): void {
  (details as HTMLDetailsElement).open = true;
  getSelection()?.selectAllChildren(details.querySelector('pre')!);
}

function fillTable(section: HTMLElement, result: Result): void {
  const { head, body } = tableOf(result);
  const row = (cells: readonly string[], name: 'th' | 'td') => {
    const tr = document.createElement('tr');
    tr.append(
      ...cells.map((text, i) => {
        const cell = document.createElement(i === 0 ? 'th' : name);
        cell.textContent = text;
        cell.scope = name === 'th' ? 'col' : i === 0 ? 'row' : '';
        if (text.endsWith('slower')) cell.className = 'slower';
        return cell;
      }),
    );
    return tr;
  };
  section.querySelector('.figures thead')!.replaceChildren(row(head, 'th'));
  section.querySelector('.figures tbody')!.replaceChildren(...body.map((cells) => row(cells, 'td')));
}

/** What was fetched for it and how it was measured. */
function weights({ start, sampleMs, ort }: Result): Node[] {
  const bold = (text: string) => Object.assign(document.createElement('b'), { textContent: text });
  const { ours, 'ort-web': peer } = start;
  const sizes =
    ours && peer
      ? [
          'With the model: lstm-wasm ',
          bold(bytes(ours.bytes)),
          ', onnxruntime-web ',
          bold(`${ort} ${bytes(peer.bytes)}`),
          ', as the host sends them. ',
        ]
      : [];
  const how = `Medians of measurements of at least ${duration(1000 * sampleMs)}; thin lines: 95th percentile. ${DRAW_NOTE}`;
  return [...sizes, how].map((one) => (typeof one === 'string' ? document.createTextNode(one) : one));
}

/** Says what onnxruntime-web weighs before anybody asks for it. */
async function sayWeight(line: HTMLElement, isIdle: () => boolean): Promise<void> {
  const answer = await fetch(`${BASE}sizes.json`).then(
    (response) => (response.ok ? response.json() : undefined),
    () => undefined,
  );
  if (!answer || !isIdle()) return;
  const files: Record<string, { bytes: number; gzip: number }> = answer.files;
  const sum = (key: 'bytes' | 'gzip') => Object.values(files).reduce((all, one) => all + one[key], 0);
  line.prepend(
    `Run fetches onnxruntime-web ${answer.version} and a model from this site: ${bytes(sum('bytes'))}, compressed ${bytes(sum('gzip'))}. `,
  );
}
