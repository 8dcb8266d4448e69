import { startAudio } from './sound.ts';

/** Seconds in which one sound goes over into another. */
const FADE = 0.01;
/** Milliseconds between two places of the playhead for visitors who want little motion. */
const STILL = 250;
const isStill = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Plays sounds of equal length in step, one of them heard: switching between them keeps the position. Nothing plays before play().
 */
export class Player {
  /** The one that sounds: a page plays one sound at a time. */
  static #sounding?: Player;
  #context?: AudioContext;
  #buffers: AudioBuffer[] = [];
  #gains: GainNode[] = [];
  #sources: AudioBufferSourceNode[] = [];
  #heard = 0;
  #position = 0;
  #startedAt = 0;
  #frame = 0;
  #told = 0;
  #make: () => { sounds: readonly Float32Array[]; rate: number };
  #seconds = 0;

  /**
   * @param onTime hears the position in seconds before each frame while sound plays
   * @param onState hears when playing begins and ends
   */
  constructor(
    sounds: () => { sounds: readonly Float32Array[]; rate: number },
    private readonly onTime: (seconds: number) => void,
    private readonly onState: (playing: boolean) => void,
  ) {
    this.#make = sounds;
  }

  get playing(): boolean {
    return this.#sources.length > 0;
  }

  /** Opens the sound output: browsers want that in the very event of a click, where play() may come later. */
  wake(): void {
    this.#context ??= new AudioContext();
    void this.#context.resume();
  }

  /** Begins at the position; at the start if the end was reached. @throws if the browser gives no audio output */
  async play(): Promise<void> {
    if (Player.#sounding !== this) Player.#sounding?.pause();
    Player.#sounding = this;
    this.#context ??= new AudioContext();
    await startAudio(this.#context);
    this.#stopSources();
    const { sounds, rate } = this.#make();
    this.#buffers = sounds.map((samples) => {
      const buffer = this.#context!.createBuffer(1, Math.max(1, samples.length), rate);
      buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
      return buffer;
    });
    this.#seconds = this.#buffers[0]!.duration;
    if (this.#position >= this.#seconds - 0.01) this.#position = 0;
    this.#begin();
    this.onState(true);
    this.#tick();
  }

  pause(): void {
    if (!this.playing) return;
    this.#position = Math.min(this.#seconds, this.#now());
    this.#stopSources();
    this.onState(false);
  }

  async toggle(): Promise<void> {
    if (this.playing) this.pause();
    else await this.play();
  }

  seek(seconds: number): void {
    this.#position = seconds;
    if (!this.playing) return;
    this.#stopSources();
    this.#begin();
  }

  /** Lets another of the sounds be heard, from now on. */
  hear(index: number): void {
    this.#heard = index;
    const now = this.#context?.currentTime ?? 0;
    for (const [n, gain] of this.#gains.entries()) gain.gain.setTargetAtTime(n === index ? 1 : 0, now, FADE / 3);
  }

  #begin(): void {
    const context = this.#context!;
    this.#startedAt = context.currentTime - this.#position;
    this.#gains = this.#buffers.map((_, n) => new GainNode(context, { gain: n === this.#heard ? 1 : 0 }));
    this.#sources = this.#buffers.map((buffer, n) => {
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(this.#gains[n]!).connect(context.destination);
      source.start(0, Math.min(this.#position, buffer.duration));
      return source;
    });
  }

  #stopSources(): void {
    cancelAnimationFrame(this.#frame);
    for (const source of this.#sources) source.stop();
    for (const gain of this.#gains) gain.disconnect();
    [this.#sources, this.#gains] = [[], []];
  }

  #now(): number {
    return this.#context!.currentTime - this.#startedAt;
  }

  #tick(): void {
    this.#frame = requestAnimationFrame(() => {
      if (!this.playing) return;
      const now = this.#now();
      const isEnd = now >= this.#seconds;
      if (isEnd || performance.now() - this.#told >= (isStill.matches ? STILL : 0)) {
        this.#told = performance.now();
        this.onTime(Math.min(now, this.#seconds));
      }
      if (!isEnd) this.#tick();
      else this.pause();
    });
  }
}
