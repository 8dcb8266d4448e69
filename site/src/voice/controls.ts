import { takeChosen, takeFiles } from '../kit/drop.ts';
import { isSound } from '../kit/is-sound.ts';
import type { Desk } from './desk.ts';
import type { Mode } from './parts.ts';

/** The buttons of a panel that listens for speech, by their `data-do`. */
export class Controls {
  #listen: HTMLButtonElement;
  #microphone: HTMLButtonElement;
  #back?: HTMLButtonElement | null;
  #mode: Mode = 'still';

  constructor(
    section: HTMLElement,
    private readonly desk: () => Desk,
    note: string,
  ) {
    const find = <T extends HTMLElement>(what: string) => section.querySelector<T>(`[data-do="${what}"]`)!;
    this.#listen = find('listen');
    this.#microphone = find('microphone');
    this.#back = find('back');
    this.#listen.addEventListener('click', () => void desk().listen());
    this.#microphone.addEventListener('click', () => {
      if (this.#mode === 'live') desk().stop();
      else void desk().hearMicrophone();
    });
    this.#back?.addEventListener('click', () => {
      this.#back!.hidden = true;
      this.#listen.focus();
      void desk().readBuiltIn();
    });
    takeChosen(find<HTMLInputElement>('file'), ([file]) => void desk().readFile(file!));
    takeFiles({
      section,
      note,
      suits: isSound,
      take: ([file]) => void desk().readFile(file!),
    });
  }

  /** Shows what the buttons do now. */
  show(mode: Mode): void {
    this.#mode = mode;
    const isPlaying = mode === 'playing';
    label(this.#listen, isPlaying ? 'Pause' : 'Listen', isPlaying ? 'pause' : 'play');
    this.#listen.disabled = mode === 'live';
    const isLive = mode === 'live';
    label(this.#microphone, isLive ? 'Stop the microphone' : 'Use the microphone', 'microphone');
    if (this.#back) this.#back.hidden = this.desk().isBuiltIn;
  }
}

/** Names a button, long and short, and gives it an icon, if it has another one. */
export function label(button: HTMLElement, text: string, icon: string): void {
  const wide = button.querySelector('.wide') ?? button.querySelector('span')!;
  if (wide.textContent !== text) wide.textContent = text;
  button.querySelector('use')!.setAttribute('href', `#icon-${icon}`);
}
