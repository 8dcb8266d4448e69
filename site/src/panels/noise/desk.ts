import { fetchBytes, sentBytes } from '../../kit/bytes.ts';
import { count, duration, size } from '../../kit/format.ts';
import { Player } from '../../kit/player.ts';
import type { Receipt } from '../../kit/receipt.ts';
import { whyNot } from '../../kit/simd.ts';
import { decode } from '../../kit/sound.ts';
import type { Strip } from '../../kit/strip.ts';
import { cleanAll, draw, loadModel } from './cleaner.ts';
import { LiveNoise } from './live.ts';
import { BLOCK, Pair, RATE } from './pair.ts';
import { rows } from './rows.ts';

/** Milliseconds between two drawings of what grows. */
const PAUSE = 200;

export type Mode = 'still' | 'busy' | 'playing' | 'live';

/** What stands behind the panel: two sounds, the strip that shows them, and the receipt. What a visitor begins ends what was begun before. */
export class NoiseDesk {
  pair = new Pair(0);
  isBuiltIn = true;
  /** Whether the pair was made here, in this page. */
  isOurs = false;
  #heard = 1;
  #player: Player;
  #abort = new AbortController();
  #live: LiveNoise | undefined;
  #changes: { noise: number; voice: number } | undefined;
  #isShown = false;
  #bytes = 0;

  constructor(
    private readonly strip: Strip,
    private readonly receipt: Receipt,
    private readonly onChange: (mode: Mode) => void,
  ) {
    this.#player = new Player(
      () => ({ sounds: [this.pair.noisy, this.pair.cleaned], rate: RATE }),
      (time) => {
        strip.playhead = time;
      },
      (playing) => {
        strip.playing = playing;
        onChange(playing ? 'playing' : 'still');
      },
    );
    this.#player.hear(1);
    strip.step = BLOCK / RATE;
    strip.describe = (time) => this.#describe(time);
    strip.addEventListener('seek', () => this.#player.seek(strip.playhead));
    strip.addEventListener('toggle', () => void this.listen());
  }

  /** Lets the noisy sound (0) or the cleaned one (1) be heard. */
  hear(index: number): void {
    this.#heard = index;
    this.#player.hear(index);
    this.#live?.hear(index);
  }

  /** Shows the built-in recording, and what was made of it when the page was built. */
  async showDrawing(): Promise<void> {
    const sounds = ['noisy.wav', 'cleaned.wav'].map(async (name) => {
      const { bytes } = await fetchBytes(`built/${name}`);
      return (await decode(bytes.buffer as ArrayBuffer, RATE)).samples;
    });
    const [noisy, cleaned] = await Promise.all(sounds);
    if (this.isOurs || !this.isBuiltIn) return;
    const pair = new Pair(noisy!.length);
    pair.add(await draw(noisy!, cleaned!));
    this.#show(pair);
    // a place where there is much to see; sound begins at the beginning
    this.strip.playhead = 1.46;
  }

  /** Plays or pauses. The built-in recording is cleaned here at the first time, while what was made before plays. */
  async listen(): Promise<void> {
    if (this.#live) return this.stop();
    this.#player.wake();
    if (this.#player.playing) return this.#player.pause();
    const isFirst = this.isBuiltIn && !this.isOurs;
    if (this.pair.length) await this.#play();
    if (isFirst) await this.cleanBuiltIn();
  }

  /** Cleans the built-in recording here. */
  async cleanBuiltIn(): Promise<void> {
    await this.#try(true, async (signal) => {
      this.isBuiltIn = true;
      const recording = fetchBytes('built/noisy.wav');
      await this.#load(signal);
      const { bytes } = await recording;
      const { samples } = await decode(bytes.buffer as ArrayBuffer, RATE);
      await this.#clean(signal, samples, this.pair.length !== samples.length);
    });
  }

  /** Cleans a recording of the visitor's. */
  async cleanFile(file: File): Promise<void> {
    await this.#try(false, async (signal) => {
      this.receipt.count(`Decoding ${file.name}, ${size(file.size)}.`);
      const { samples } = await decode(await file.arrayBuffer(), RATE);
      if (samples.length < BLOCK)
        throw new Error(`${file.name} is shorter than one block, 8 ms. Drop a longer recording.`);
      await this.#load(signal);
      if (signal.aborted) return;
      this.isBuiltIn = false;
      this.strip.playhead = 0;
      this.#player.seek(0);
      await this.#clean(signal, samples, true);
    });
  }

  /** Cleans the microphone until stop(). @param aloud whether it is to be heard, which wants headphones */
  async cleanMicrophone(aloud: boolean): Promise<void> {
    await this.#try(false, async (signal) => {
      const live = new LiveNoise(aloud, this.#heard);
      try {
        await this.#load(signal);
        if (!signal.aborted) await live.open(() => this.#grow(live));
      } catch (error) {
        live.stop();
        throw error;
      }
      if (signal.aborted) return live.stop();
      this.#live = live;
      this.isBuiltIn = false;
      this.#show(live.pair, LiveNoise.SPAN);
      this.onChange('live');
      await live.ended;
      if (this.#live === live) this.#live = undefined;
      if (signal.aborted) return;
      if (!live.pair.length) {
        throw new Error('The microphone gave no sound. Look at the system’s sound settings, and try again.');
      }
      this.#player.seek(0);
      this.#show(live.kept());
      this.#sayLive(false);
    });
  }

  /** Ends listening to the microphone. */
  stop(): void {
    this.#live?.stop();
  }

  async #play(): Promise<void> {
    try {
      await this.#player.play();
    } catch (error) {
      this.receipt.fail((error as Error).message);
    }
  }

  async #try(goesOn: boolean, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!goesOn) this.#player.pause();
    this.stop();
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.onChange(this.#mode('busy'));
    try {
      const reason = whyNot();
      if (reason) throw new Error(reason);
      await run(signal);
    } catch (error) {
      if (!signal.aborted) this.receipt.fail((error as Error).message);
    }
    if (!signal.aborted) this.onChange(this.#mode('still'));
  }

  #mode(otherwise: Mode): Mode {
    if (this.#live) return 'live';
    return this.#player.playing ? 'playing' : otherwise;
  }

  async #load(signal: AbortSignal): Promise<void> {
    this.#bytes = await loadModel(({ come, all }) => {
      if (!signal.aborted) this.receipt.count(`Loading: DTLN ${size(come)} of ${size(all)}.`);
    });
  }

  /** @param grows whether the strip shows what has come so far; or else it stays as it is until all has come */
  async #clean(signal: AbortSignal, samples: Float32Array, grows: boolean): Promise<void> {
    const pair = new Pair(samples.length);
    if (grows) this.#show(pair, samples.length / RATE);
    const seconds = Math.round(samples.length / RATE);
    const begun = performance.now();
    let drawn = 0;
    await cleanAll(
      samples,
      (part) => {
        pair.add(part);
        if (performance.now() - drawn < PAUSE) return;
        drawn = performance.now();
        if (grows) this.strip.redraw();
        if (seconds > 10) this.receipt.count(`Cleaned ${Math.round(pair.seconds)} of ${seconds} s.`);
      },
      signal,
    );
    if (signal.aborted) return;
    const milliseconds = performance.now() - begun;
    this.isOurs = true;
    this.#show(pair);
    // what plays is what was made here, from the same place on
    if (this.#player.playing) await this.#play();
    const each = duration(pair.milliseconds / 1e3 / pair.blocks);
    this.receipt.say(
      [
        { b: `${pair.seconds.toFixed(1)} s cleaned in ${duration(milliseconds / 1e3)}` },
        ` here, just now: ${count(pair.blocks)} blocks of 8 ms, ${each} each.`,
      ],
      this.#weighs(),
    );
  }

  #weighs(): string[] {
    const code = sentBytes((url) => /noise\.worker/.test(url));
    return [`${code ? size(code) : '—'} of code, ${size(this.#bytes)} of DTLN. Nothing was uploaded.`];
  }

  #grow(live: LiveNoise): void {
    if (this.#live !== live) return;
    this.strip.extend(Math.max(live.pair.seconds, BLOCK / RATE), LiveNoise.SPAN);
    this.strip.playhead = live.pair.seconds;
    this.#sayLive(true);
  }

  #sayLive(isLive: boolean): void {
    const { seconds, blocks, milliseconds } = this.#live?.pair ?? this.pair;
    const load = blocks ? milliseconds / 10 / ((blocks * BLOCK) / RATE) : 0;
    const each = blocks ? duration(milliseconds / 1e3 / blocks) : '—';
    this.receipt.say(
      [
        { b: `${seconds.toFixed(1)} s of microphone cleaned` },
        ` ${isLive ? 'so far' : 'just now'}: ${each} each 8 ms, ${load.toFixed(1)} % of a core.`,
      ],
      this.#weighs(),
    );
  }

  #show(pair: Pair, length = pair.seconds): void {
    const { from, to, playhead } = this.strip;
    const isSame = this.#isShown && Math.abs(length - this.strip.length) < 0.01;
    this.pair = pair;
    this.#changes = pair.isFull && pair.length ? pair.changes() : undefined;
    const changes = this.#changes;
    if (this.#isShown) this.strip.extend(length, length);
    else {
      this.strip.show(
        rows(
          () => this.pair,
          () => this.#changes,
        ),
        length,
      );
    }
    this.#isShown = true;
    if (isSame) this.strip.look(from, to);
    this.strip.playhead = playhead;
    this.strip.summary = changes
      ? `${pair.seconds.toFixed(1)} s of sound: noise is ${(-changes.noise).toFixed(1)} dB quieter, voice ${(-changes.voice).toFixed(1)} dB.`
      : '';
    this.onChange(this.#mode('still'));
  }

  #describe(time: number): string {
    const { noisy, cleaned } = this.pair.levels(time);
    const say = (level: number | undefined) => (level === undefined ? 'silent' : `${level.toFixed(0)} decibels`);
    return `${time.toFixed(2)} s: noisy ${say(noisy)}, cleaned ${say(cleaned)}`;
  }
}
