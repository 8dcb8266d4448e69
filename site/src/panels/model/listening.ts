import { Player } from '../../kit/player.ts';
import type { Strip } from '../../kit/strip.ts';
import type { Chart } from './chart.ts';

/** Milliseconds between two places of the playhead where a visitor wants little motion. */
const SLOW = 250;

/** Plays the sound that a model was run on, with the playhead. */
export class Listening {
  #sound: { readonly samples: Float32Array; readonly rate: number } | undefined;
  readonly #player: Player;
  #last = 0;

  constructor(
    private readonly button: HTMLButtonElement,
    strip: Strip,
    chart: Chart,
  ) {
    const isStill = matchMedia('(prefers-reduced-motion: reduce)');
    this.#player = new Player(
      () => ({ sounds: [this.#sound!.samples], rate: this.#sound!.rate }),
      (seconds) => {
        if (isStill.matches && performance.now() - this.#last < SLOW) return;
        this.#last = performance.now();
        chart.seek(seconds);
      },
      (playing) => {
        strip.playing = playing;
        button.textContent = playing ? 'Pause' : 'Play';
      },
    );
    const toggle = () => {
      if (this.#sound) void this.#player.toggle();
    };
    button.addEventListener('click', toggle);
    strip.addEventListener('toggle', toggle);
    strip.addEventListener('seek', (event) => this.#player.seek((event as CustomEvent<number>).detail));
  }

  /** Takes the sound of a run, or none. @param seconds the part of it that was run */
  use(sound: { readonly samples: Float32Array; readonly rate: number } | undefined, seconds: number): void {
    this.#player.pause();
    this.#sound = sound && { samples: sound.samples.subarray(0, Math.round(seconds * sound.rate)), rate: sound.rate };
    this.button.disabled = !sound;
  }
}
