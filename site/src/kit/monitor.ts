/** Seconds between a block's coming and its being heard: what the machine may be late. */
const AHEAD = 0.06;
/** Seconds in which one sound goes over into another. */
const FADE = 0.01;

/** Plays sounds as they come, block on block, one of them heard at a time: what a microphone brings, and what is made of it. */
export class Monitor {
  #context: AudioContext;
  #gains: GainNode[];
  #at = 0;

  /** Opens the sound output: call it in the event of a click. @param sounds how many there are */
  constructor(
    sounds: number,
    private readonly rate: number,
    heard: number,
  ) {
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    void this.#context.resume();
    this.#gains = Array.from({ length: sounds }, (_, n) => {
      const gain = new GainNode(this.#context, { gain: n === heard ? 1 : 0 });
      gain.connect(this.#context.destination);
      return gain;
    });
  }

  /** Plays blocks of the same length, one of each sound, after those before. */
  push(blocks: readonly Float32Array[]): void {
    const { length } = blocks[0]!;
    if (!length || this.#context.state !== 'running') return;
    const now = this.#context.currentTime;
    // late: a gap is heard, and the distance grows again
    if (this.#at < now) this.#at = now + AHEAD;
    for (const [n, samples] of blocks.entries()) {
      const buffer = this.#context.createBuffer(1, length, this.rate);
      buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
      const source = new AudioBufferSourceNode(this.#context, { buffer });
      source.connect(this.#gains[n]!);
      source.start(this.#at);
    }
    this.#at += length / this.rate;
  }

  hear(index: number): void {
    for (const [n, { gain }] of this.#gains.entries()) {
      gain.setTargetAtTime(n === index ? 1 : 0, this.#context.currentTime, FADE / 3);
    }
  }

  end(): void {
    void this.#context.close();
  }
}
