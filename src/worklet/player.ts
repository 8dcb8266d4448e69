import { CHUNK } from './channel.ts';
import { Dry, type Source, Voice } from './source.ts';

/** Plays one source, and fades to another without a jump: a model, the next model, or the input itself. */
export class Player {
  private readonly _channels: number;
  private readonly _fade: number;
  private _voice: Voice;
  private _bypassed: boolean;
  private _from: Source;
  private _to: Source | undefined;
  /** Where to fade when the fade that goes on is over; the last request counts. */
  private _queued: Source | undefined;
  /** Samples that the next source plays unheard, until what lies before them has gone through it. */
  private _unheard = 0;
  /** Samples of the fade that were heard. */
  private _faded = 0;
  private readonly _inputs: readonly Float32Array[];
  private readonly _outputs: readonly Float32Array[];
  private readonly _others: readonly Float32Array[];

  /** @param fade its length in samples */
  constructor(voice: Voice, channels: number, fade: number, bypassed: boolean) {
    this._channels = channels;
    this._fade = Math.max(1, Math.round(fade));
    this._voice = voice;
    this._bypassed = bypassed;
    this._from = bypassed ? new Dry(channels, voice.latency) : voice;
    const buffers = () => Array.from({ length: channels }, () => new Float32Array(CHUNK));
    this._inputs = buffers();
    this._outputs = buffers();
    this._others = buffers();
  }

  /** Samples by which the output is late, once a fade that goes on is over. */
  get latency(): number {
    return this._voice.latency;
  }

  /** Fades to another model, and disposes of the one before it then. */
  load(voice: Voice): void {
    const before = this._voice;
    this._voice = voice;
    this._fadeTo(this._bypassed ? new Dry(this._channels, voice.latency) : voice);
    if (this._isIdle(before)) before.dispose();
  }

  /** Fades to the input, or back to the model, which starts anew. */
  bypass(on: boolean): void {
    if (on === this._bypassed) return;
    this._bypassed = on;
    if (!on && this._isIdle(this._voice)) this._voice.reset();
    this._fadeTo(on ? new Dry(this._channels, this._voice.latency) : this._voice);
  }

  /** Sends the model back to the state in which a session starts. */
  reset(): void {
    this._voice.reset();
  }

  /** From now on plays the input alone, since the model has failed. */
  fail(): void {
    this._bypassed = true;
    this._from = new Dry(this._channels, this._voice.latency);
    this._to = this._queued = undefined;
  }

  /**
   * Plays a block of any length.
   * @param input a Float32Array for each channel; samples that are not finite, and channels that are missing, are silence
   * @param output as many channels
   */
  play(input: readonly Float32Array[], output: readonly Float32Array[], knobs: Float32Array): void {
    const size = output[0]!.length;
    for (let at = 0; at < size; at += CHUNK) {
      const count = Math.min(CHUNK, size - at);
      for (let c = 0; c < this._channels; c++) {
        const line = this._inputs[c]!;
        const samples = input[c];
        // an infinity less itself is NaN
        if (samples)
          for (let i = 0; i < count; i++) line[i] = samples[at + i]! - samples[at + i]! === 0 ? samples[at + i]! : 0;
        else line.fill(0);
      }
      this._run(this._from, this._outputs, count, knobs);
      if (this._to) this._mix(this._to, count, knobs);
      for (let c = 0; c < this._channels; c++) {
        const line = this._outputs[c]!;
        const samples = output[c]!;
        for (let i = 0; i < count; i++) samples[at + i] = line[i]!;
      }
    }
  }

  dispose(): void {
    const voices = new Set([this._voice, this._from, this._to, this._queued]);
    for (const source of voices) if (source instanceof Voice) source.dispose();
  }

  private _run(source: Source, outputs: readonly Float32Array[], count: number, knobs: Float32Array): void {
    if (source instanceof Voice) source.turn(knobs);
    source.run(this._inputs, outputs, count);
  }

  /** Adds the next source to the outputs, by a weight that rises as smoothstep does, 3 t² - 2 t³. */
  private _mix(next: Source, count: number, knobs: Float32Array): void {
    this._run(next, this._others, count, knobs);
    const heard = Math.max(0, count - this._unheard);
    const start = count - heard;
    this._unheard -= start;
    for (let c = 0; c < this._channels; c++) {
      const a = this._outputs[c]!;
      const b = this._others[c]!;
      for (let i = start; i < count; i++) {
        const t = Math.min(1, (this._faded + i - start + 1) / this._fade);
        a[i] = a[i]! + t * t * (3 - 2 * t) * (b[i]! - a[i]!);
      }
    }
    this._faded += heard;
    if (this._faded >= this._fade) this._arrive(next);
  }

  private _arrive(next: Source): void {
    const before = this._from;
    this._from = next;
    this._to = undefined;
    const queued = this._queued;
    this._queued = undefined;
    if (queued) this._fadeTo(queued);
    if (before instanceof Voice && this._isIdle(before) && before !== this._voice) before.dispose();
  }

  private _fadeTo(next: Source): void {
    const last = this._queued ?? this._to ?? this._from;
    if (next instanceof Dry && last instanceof Dry && next.latency === last.latency) return;
    if (this._to) {
      this._queued = next;
      return;
    }
    if (next === this._from) return;
    this._to = next;
    this._faded = 0;
    this._unheard = Math.ceil(next.latency) + this._fade;
  }

  /** Whether a model neither plays nor is about to. */
  private _isIdle(voice: Voice): boolean {
    return voice !== this._from && voice !== this._to && voice !== this._queued;
  }
}
