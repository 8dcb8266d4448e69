import './noise.css';
import { takeChosen, takeFiles } from '../../kit/drop.ts';
import { isSound } from '../../kit/is-sound.ts';
import { Receipt } from '../../kit/receipt.ts';
import { whyNot } from '../../kit/simd.ts';
import type { Strip } from '../../kit/strip.ts';
import { label } from '../../voice/controls.ts';
import { type Mode, NoiseDesk } from './desk.ts';

export async function start(section: HTMLElement): Promise<void> {
  const find = <T extends HTMLElement = HTMLButtonElement>(what: string) =>
    section.querySelector<T>(`[data-do="${what}"]`)!;
  const [listen, microphone, back] = [find('listen'), find('microphone'), find('back')];
  const ask = section.querySelector<HTMLElement>('.ask')!;
  const receipt = new Receipt(section.querySelector('.receipt')!);
  let mode: Mode = 'still';

  const desk: NoiseDesk = new NoiseDesk(section.querySelector<Strip>('lw-strip')!, receipt, (now) => {
    mode = now;
    label(listen, mode === 'playing' ? 'Pause' : 'Listen', mode === 'playing' ? 'pause' : 'play');
    listen.disabled = mode === 'live';
    label(microphone, mode === 'live' ? 'Stop the microphone' : 'Use the microphone', 'microphone');
    back.hidden = desk.isBuiltIn;
  });

  const takeFile = ([file]: readonly File[]) => {
    ask.hidden = true;
    void desk.cleanFile(file!);
  };
  listen.addEventListener('click', () => {
    ask.hidden = true;
    void desk.listen();
  });
  microphone.addEventListener('click', () => {
    if (mode === 'live') return desk.stop();
    ask.hidden = !ask.hidden;
    if (!ask.hidden) find('headphones').focus();
  });
  for (const name of ['headphones', 'silent']) {
    find(name).addEventListener('click', () => {
      ask.hidden = true;
      microphone.focus();
      void desk.cleanMicrophone(name === 'headphones');
    });
  }
  ask.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    ask.hidden = true;
    microphone.focus();
  });
  back.addEventListener('click', () => {
    listen.focus();
    void desk.cleanBuiltIn();
  });
  takeChosen(find<HTMLInputElement>('file'), takeFile);
  takeFiles({ section, note: 'Drop it: Noise will clean it.', suits: isSound, take: takeFile });
  listenToSwitch(section, (index) => desk.hear(index));

  const reason = whyNot();
  if (reason) receipt.fail(reason);
  await desk.showDrawing().catch((error: Error) => receipt.fail(error.message));
}

/** The switch between noisy and cleaned, and the key N, which holds the noisy sound while the panel is seen. */
function listenToSwitch(section: HTMLElement, hear: (index: number) => void): void {
  const [noisy, cleaned] = section.querySelectorAll<HTMLInputElement>('[name="noise-heard"]');
  for (const input of [noisy!, cleaned!]) input.addEventListener('change', () => hear(Number(input.value)));
  let isHeld = false;
  let isSeen = false;
  new IntersectionObserver(
    (entries) => {
      isSeen = entries.at(-1)!.isIntersecting;
    },
    { rootMargin: '-30% 0px' },
  ).observe(section);
  const hold = (held: boolean) => {
    if (held === isHeld) return;
    isHeld = held;
    (held ? noisy : cleaned)!.checked = true;
    hear(held ? 0 : 1);
  };
  addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'n' || event.ctrlKey || event.metaKey || event.altKey || !isSeen) return;
    if ((event.target as HTMLElement).matches?.('input[type="text"], textarea, [contenteditable]')) return;
    if (!noisy!.checked || isHeld) hold(true);
  });
  addEventListener('keyup', ({ key }) => {
    if (key.toLowerCase() === 'n') hold(false);
  });
  // whoever leaves the page with the key held lets it go there
  addEventListener('blur', () => hold(false));
}
