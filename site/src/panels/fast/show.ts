import { bytes, duration } from '../../../../benchmarks/chart/format.mjs';
import type { Result } from './result.ts';
import { BASE } from './run.ts';
import { tableOf } from './text.ts';
import { busyNote, DRAW_NOTE } from './verdict.ts';

const SAID = 2000;

/** Copies a text and says so on the button; where the browser does not let it, `otherwise` shows it. */
export async function copy(
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

/** Opens a text and selects it. */
export function reveal(details: HTMLElement): void {
  (details as HTMLDetailsElement).open = true;
  getSelection()?.selectAllChildren(details.querySelector('pre')!);
}

/** The table says what the picture shows. */
export function fillTable(section: HTMLElement, result: Result): void {
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

/** What was fetched for it, where that was here, and how it was measured. */
export function weights(result: Result, isRecorded: boolean): Node[] {
  const { start, sampleMs, ort } = result;
  const bold = (text: string) => Object.assign(document.createElement('b'), { textContent: text });
  const { ours, 'ort-web': peer } = start;
  const sizes =
    !isRecorded && ours && peer && ours.bytes > 0 && peer.bytes > 0
      ? [
          'With the model: lstm-wasm ',
          bold(bytes(ours.bytes)),
          ', onnxruntime-web ',
          bold(`${ort} ${bytes(peer.bytes)}`),
          ', as the host sends them. ',
        ]
      : [];
  const how = `Medians of measurements of at least ${duration(1000 * sampleMs)}; thin lines: 95th percentile. ${DRAW_NOTE} ${busyNote(result)}`;
  return [...sizes, how].map((one) => (typeof one === 'string' ? document.createTextNode(one) : one));
}

/** Says what onnxruntime-web weighs before anybody asks for it. */
export async function sayWeight(line: HTMLElement, isIdle: () => boolean): Promise<void> {
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
