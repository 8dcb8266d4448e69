import { Monitor } from '../../kit/monitor.ts';
import { type Microphone, openMicrophone } from '../../kit/sound.ts';
import { begin, type Cleaning } from './cleaner.ts';
import { type NoisePart, Pair, RATE } from './pair.ts';

/** The microphone on its way through the network, and aloud where headphones are on. */
export class LiveNoise {
  /** Seconds that the strip shows. */
  static readonly SPAN = 15;
  /** The longest that one listening lasts, in seconds: it keeps all that it heard. */
  static readonly LONGEST = 300;
  readonly pair = new Pair(LiveNoise.LONGEST * RATE);
  /** Settles when it has stopped and the last block has come back. */
  readonly ended: Promise<void>;
  #end = () => {};
  #microphone?: Microphone;
  #cleaning?: Cleaning;
  #monitor?: Monitor;
  #stopped = false;
  #last = 0;

  /** Call it in the event of a click, where browsers let sound begin. */
  constructor(aloud: boolean, heard: number) {
    if (aloud) this.#monitor = new Monitor(2, RATE, heard);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** @param onPart is called when the pair has grown. @throws Error with a sentence for visitors if the microphone is refused or missing */
  async open(onPart: () => void): Promise<void> {
    const pause = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1000 : 50;
    const microphone = await openMicrophone(RATE, (block) => void this.#take(block, onPart, pause));
    this.#microphone = microphone;
    this.#cleaning = await begin(microphone.rate);
    if (this.#stopped) microphone.end();
  }

  hear(index: number): void {
    this.#monitor?.hear(index);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#microphone?.end();
    this.#monitor?.end();
    // answers come in order: when this one is here, all blocks are
    if (this.#cleaning) void this.#cleaning.end().then(this.#end);
    else this.#end();
  }

  /** What was heard, without the room that was left. */
  kept(): Pair {
    const { pair } = this;
    const kept = new Pair(pair.length);
    kept.add(pair.part());
    return kept;
  }

  async #take(block: Float32Array, onPart: () => void, pause: number): Promise<void> {
    if (this.#stopped || !this.#cleaning) return;
    const part: NoisePart = await this.#cleaning.clean(block);
    this.pair.add(part);
    if (this.#stopped) return;
    this.#monitor?.push([part.noisy, part.cleaned]);
    if (this.pair.isFull) this.stop();
    if (performance.now() - this.#last < pause) return;
    this.#last = performance.now();
    onPart();
  }
}
