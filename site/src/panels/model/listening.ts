import { Player } from '../../kit/player.ts';
import type { Strip } from '../../kit/strip.ts';
import type { Chart } from './chart.ts';

/** Plays the sound that a model was run on, with the playhead. */
export class Listening {
  #sound: { readonly samples: Float32Array; readonly rate: number } | undefined;
  readonly #player: Player;

  /** @param onError hears why there is no sound */
  constructor(
    private readonly button: HTMLButtonElement,
    private readonly strip: Strip,
    chart: Chart,
    onError: (sentence: string) => void,
  ) {
    this.#player = new Player(
      () => ({ sounds: [this.#sound!.samples], rate: this.#sound!.rate }),
      (seconds) => chart.seek(seconds),
      (playing) => {
        strip.playing = playing;
        button.textContent = playing ? 'Pause' : 'Play';
      },
    );
    const toggle = () => {
      if (this.#sound) this.#player.toggle().catch((error: Error) => onError(error.message));
    };
    button.addEventListener('click', toggle);
    strip.addEventListener('toggle', toggle);
    strip.addEventListener('seek', (event) => this.#player.seek((event as CustomEvent<number>).detail));
  }

  /** Takes the sound of a run, or none. @param seconds the part of it that was run */
  use(sound: { readonly samples: Float32Array; readonly rate: number } | undefined, seconds: number): void {
    this.#player.pause();
    this.#sound = sound && { samples: sound.samples.subarray(0, Math.round(seconds * sound.rate)), rate: sound.rate };
    this.#player.seek(this.strip.playhead);
    this.button.disabled = !sound;
  }
}
