import { type Microphone, openMicrophone } from '../kit/sound.ts';
import type { Loaded, ModelName } from './parts.ts';
import { type Hearing, hear } from './reader.ts';
import { Reading } from './reading.ts';

/** The microphone on its way through the model. */
export class Live {
  /** Seconds that the strip shows. */
  static readonly SPAN = 15;
  /** The longest that one listening lasts, in seconds: it keeps all that it heard. */
  static readonly LONGEST = 600;
  readonly reading: Reading;
  /** Settles when it has stopped and the last block has come back. */
  readonly ended: Promise<void>;
  #end = () => {};
  #microphone?: Microphone;
  #hearing?: Hearing;
  #stopped = false;

  private constructor(limit: number) {
    this.reading = new Reading(Live.LONGEST, limit);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Opens the microphone.
   * @param onPart is called when the reading has grown: at most once a frame of the screen, once a second with reduced motion
   * @throws Error with a sentence for visitors if it is refused or missing
   */
  static async open(model: ModelName, { limit }: Loaded, onPart: () => void): Promise<Live> {
    const live = new Live(limit);
    const early: Float32Array[] = [];
    live.#microphone = await openMicrophone(16_000, (block) => {
      if (live.#hearing) void live.#take(block, tell);
      else early.push(block);
    });
    const pause = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1000 : 50;
    let last = 0;
    const tell = () => {
      if (performance.now() - last < pause) return;
      last = performance.now();
      onPart();
    };
    live.#hearing = await hear(model, live.#microphone.rate);
    for (const block of early) void live.#take(block, tell);
    return live;
  }

  async #take(block: Float32Array, tell: () => void): Promise<void> {
    if (this.#stopped) return;
    const part = await this.#hearing!.hear(block);
    this.reading.add(part);
    if (!this.#stopped) tell();
    if (this.reading.isFull) this.stop();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#microphone?.end();
    // answers come in order: when this one is here, all blocks are
    void this.#hearing!.end().then((order) => {
      this.reading.order = order;
      this.#end();
    });
  }
}
