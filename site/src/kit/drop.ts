/** A panel that takes files. */
export interface Taker {
  /** The section, outlined while a file is over the page that it would take. */
  readonly section: HTMLElement;
  /** How well it suits a file of this name, or of this media type while it is still in the air: 0 is not at all. */
  suits(name: string, type: string): number;
  /** Said while a file is over the page: "Drop it: Voice activity will read it." */
  readonly note: string;
  take(files: readonly File[]): void;
}

const takers: Taker[] = [];
const note = Object.assign(document.createElement('p'), { className: 'drop-note', hidden: true });
note.setAttribute('role', 'status');

/** Lets a panel take files that are dropped anywhere on the page. */
export function takeFiles(taker: Taker): void {
  if (!takers.length) listen();
  takers.push(taker);
}

/** Lets a button's hidden file input hand its files to a panel. */
export function takeChosen(input: HTMLInputElement, take: (files: readonly File[]) => void): void {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    // the same file may be chosen again
    input.value = '';
    if (files.length) take(files);
  });
}

/** Of several panels that suit a file equally well, the one on screen takes it. */
function best(name: string, type: string): Taker | undefined {
  const onScreen = ({ section }: Taker) => {
    const { top, bottom } = section.getBoundingClientRect();
    return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) / innerHeight / 10;
  };
  const marks = takers.map((taker) => ({ taker, mark: taker.suits(name, type) }));
  const fit = marks.filter(({ mark }) => mark > 0).map(({ taker, mark }) => ({ taker, mark: mark + onScreen(taker) }));
  return fit.sort((a, b) => b.mark - a.mark)[0]?.taker;
}

function listen(): void {
  document.body.append(note);
  const hide = () => {
    note.hidden = true;
    for (const { section } of takers) section.classList.remove('drop-target');
  };
  addEventListener('dragover', (event) => {
    const item = event.dataTransfer?.items[0];
    if (item?.kind !== 'file') return;
    event.preventDefault();
    hide();
    const taker = best('', item.type);
    taker?.section.classList.add('drop-target');
    note.textContent = taker?.note ?? 'Drop it: the page looks at what it is.';
    note.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) hide();
  });
  addEventListener('drop', (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    hide();
    if (!files.length) return;
    event.preventDefault();
    const taker = best(files[0]!.name, files[0]!.type);
    if (!taker) return;
    taker.section.scrollIntoView({ block: 'start' });
    taker.take(files);
  });
}
