import { LstmNode } from 'lstm-wasm/worklet';
import type { AmpFile } from './model-file.ts';
import { processor } from './processor.ts';

/** Seconds in which the guitar goes over into the amp. */
const FADE = 0.01;
/** Samples that the scope's analysers hold: more than pass between two frames of a busy page. */
const HELD = 8192;
const RIFF_RATE = 48_000;
/** Milliseconds in which a browser should begin to play. */
const PATIENCE = 5000;
const NO_OUTPUT = 'This browser gave no sound output. Connect a loudspeaker or headphones, and press Listen again.';

/** What is set by the visitor, as factors. */
export interface Settings {
  readonly drive: number;
  readonly level: number;
  /** Makes the amp as loud as the guitar. */
  readonly match: number;
  readonly heard: 'guitar' | 'amp';
  readonly bypass: boolean;
  readonly knobs: readonly number[];
}

/**
 * Guitar, amp and loudspeaker: source -> drive -> amp -> match -> level, and beside it source -> delay -> level, of which one is heard.
 * The delay is as long as the amp is late, so that switching keeps the place.
 */
export class Rig {
  readonly #input: GainNode;
  readonly #drive: GainNode;
  readonly #match: GainNode;
  readonly #dry: GainNode;
  readonly #wet: GainNode;
  readonly #level: GainNode;
  readonly #delays: readonly DelayNode[];
  readonly #before: AnalyserNode;
  readonly #after: AnalyserNode;
  #source: AudioNode | undefined;
  #startedAt = 0;

  private constructor(
    readonly context: AudioContext,
    readonly node: LstmNode,
    private readonly stream?: MediaStream,
  ) {
    const gain = (value = 1) => new GainNode(context, { gain: value });
    const analyser = () => new AnalyserNode(context, { fftSize: HELD });
    [this.#input, this.#drive, this.#match, this.#level] = [gain(), gain(), gain(), gain()];
    [this.#dry, this.#wet] = [gain(0), gain(0)];
    this.#delays = [0, 1].map(() => new DelayNode(context, { maxDelayTime: 0.1 }));
    [this.#before, this.#after] = [analyser(), analyser()];
    const [heard, driven] = this.#delays as [DelayNode, DelayNode];
    this.#input.connect(heard).connect(this.#dry).connect(this.#level);
    this.#input.connect(this.#drive).connect(node).connect(this.#match).connect(this.#wet).connect(this.#level);
    this.#drive.connect(driven).connect(this.#before);
    node.connect(this.#after);
    this.#level.connect(context.destination);
    this.#align();
  }

  /**
   * Opens the audio output. Call it from a click: browsers play nothing unasked.
   * @param stream what is played live; without it, play() plays recordings
   */
  static async open(amp: AmpFile, settings: Settings, stream?: MediaStream): Promise<Rig> {
    // Firefox joins a microphone to a context of its own rate alone
    const context = new AudioContext(stream ? {} : { sampleRate: RIFF_RATE });
    try {
      const { url } = await processor();
      const { bypass, knobs } = settings;
      const options = { processorUrl: url, bypass, ...(knobs.length && { knobs }) };
      const node = await soon(LstmNode.create(context, amp.text, options));
      const rig = new Rig(context, node, stream);
      rig.set(settings);
      if (stream) rig.#connect(context.createMediaStreamSource(stream));
      await soon(context.resume());
      return rig;
    } catch (error) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      void context.close();
      throw error;
    }
  }

  /** Fades to another amp, which has no more knobs than this one. */
  async load(amp: AmpFile): Promise<void> {
    await this.node.load(amp.text);
    this.#align();
  }

  set({ drive, level, match, heard, bypass, knobs }: Settings): void {
    if (this.node.bypass !== bypass) this.node.bypass = bypass;
    this.#ramp(this.#drive.gain, drive);
    // without the amp what was driven is as loud as the guitar at its inverse
    this.#ramp(this.#match.gain, bypass ? 1 / drive : match);
    this.#ramp(this.#level.gain, level);
    this.#ramp(this.#dry.gain, heard === 'guitar' ? 1 : 0);
    this.#ramp(this.#wet.gain, heard === 'amp' ? 1 : 0);
    for (const [k, value] of knobs.entries()) this.node.knobs[k]?.setValueAtTime(value, this.context.currentTime);
  }

  /** Plays a recording again and again, from a place in seconds. */
  async play(samples: Float32Array, rate: number, from: number): Promise<void> {
    await soon(this.context.resume());
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    this.#connect(source);
    source.start(0, from % buffer.duration);
    this.#startedAt = this.context.currentTime - from;
  }

  async pause(): Promise<void> {
    this.#disconnect();
    await this.context.suspend();
  }

  /** Seconds since a recording's first sample, or since live input began. */
  get time(): number {
    return this.context.currentTime - this.#startedAt;
  }

  /** The last samples before and behind the amp. @param count at most 8,192 */
  read(count: number): { before: Float32Array; after: Float32Array } {
    const [before, after] = [this.#before, this.#after].map((analyser) => {
      const samples = new Float32Array(HELD);
      analyser.getFloatTimeDomainData(samples);
      return samples.subarray(HELD - Math.min(HELD, count));
    }) as [Float32Array, Float32Array];
    return { before, after };
  }

  end(): void {
    this.#disconnect();
    this.node.dispose();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    void this.context.close();
  }

  #connect(source: AudioNode): void {
    this.#disconnect();
    this.#source = source;
    source.connect(this.#input);
    this.#startedAt = this.context.currentTime;
  }

  #disconnect(): void {
    this.#source?.disconnect();
    this.#source = undefined;
  }

  #align(): void {
    for (const delay of this.#delays) delay.delayTime.value = this.node.latency;
  }

  #ramp(parameter: AudioParam, value: number): void {
    const now = this.context.currentTime;
    parameter.cancelScheduledValues(now);
    parameter.setValueAtTime(parameter.value, now);
    parameter.linearRampToValueAtTime(value, now + FADE);
  }
}

/** Waits for what a context does once it plays. @throws Error with a sentence for visitors if it does not, as without a loudspeaker */
async function soon<T>(doing: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(NO_OUTPUT)), PATIENCE);
  });
  try {
    return await Promise.race([doing, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks for the live input, as it is. @throws Error with a sentence for visitors if it is refused or missing */
export async function openLive(): Promise<MediaStream> {
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices?.getUserMedia({ audio }).catch(() => undefined);
  if (stream) return stream;
  throw new Error(
    'This browser did not give us the live input. Play the built-in riff instead, or allow the microphone in the address bar.',
  );
}
