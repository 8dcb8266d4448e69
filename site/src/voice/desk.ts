import { fetchBytes } from '../kit/bytes.ts';
import { size } from '../kit/format.ts';
import { Player } from '../kit/player.ts';
import type { Receipt } from '../kit/receipt.ts';
import { whyNot } from '../kit/simd.ts';
import { decode } from '../kit/sound.ts';
import type { Strip } from '../kit/strip.ts';
import type { Row } from '../kit/view.ts';
import { fetchDrawing } from './drawing.ts';
import { Live } from './live.ts';
import { type BuiltIn, type Loaded, type Mode, type ModelName, RATE, STEP } from './parts.ts';
import { hearAll, loadModel } from './reader.ts';
import { Reading } from './reading.ts';
import { sayHeard, sayRead } from './receipts.ts';
import { describe, type Shown, summarize } from './rows.ts';
import { type Stretch, stretches, type Thresholds } from './stretches.ts';

/** Milliseconds between two drawings of what grows: the page stays free for its visitor. */
const PAUSE = 200;

/**
 * What stands behind a panel that listens for speech: the sound, what the model made of it, the strip that shows both, and the
 * receipt. Each thing that a visitor begins ends the one before.
 */
export class Desk implements Shown {
  reading = new Reading(1, 1, new Float32Array(0));
  stretches: readonly Stretch[] = [];
  thresholds: Thresholds = { on: 0.5, off: 0.35 };
  model: ModelName = 'v5';
  /** The sound that is shown: undefined of a drawing alone. */
  sound: Float32Array<ArrayBuffer> | undefined;
  /** Whether the built-in recording is shown, and the name of what is. */
  isBuiltIn = true;
  name: string;
  #player: Player;
  #abort = new AbortController();
  #live: Live | undefined;
  #loaded?: Loaded;
  /** Whether a visitor has moved the playhead: sound begins there then, and else at the left edge. */
  #moved = false;

  /** @param onChange hears whenever another thing is shown, grows, or begins or ends to play */
  constructor(
    readonly strip: Strip,
    readonly receipt: Receipt,
    private readonly builtIn: BuiltIn,
    private readonly rows: (shown: () => Shown) => readonly Row[],
    private readonly onChange: (mode: Mode) => void,
  ) {
    this.name = builtIn.name;
    this.#player = new Player(
      () => ({ sounds: [this.sound!], rate: RATE }),
      (time) => {
        strip.playhead = time;
      },
      (playing) => {
        strip.playing = playing;
        onChange(playing ? 'playing' : 'still');
      },
    );
    strip.step = STEP;
    strip.describe = (time) => describe(this, time);
    strip.addEventListener('seek', () => {
      this.#moved = true;
      this.#player.seek(strip.playhead);
    });
    strip.addEventListener('toggle', () => void this.listen());
  }

  /** Shows what the built-in recording looks like, as it was drawn when the page was built. */
  async showDrawing(): Promise<void> {
    const reading = await fetchDrawing(this.builtIn.drawing).catch(() => undefined);
    if (!reading || this.sound) return;
    this.#show(reading);
    this.#look();
  }

  /** Fetches the built-in recording and the model, and reads it. @param play whether it is to be heard as soon as it is there */
  async readBuiltIn(play = false): Promise<void> {
    await this.#try(async (signal) => {
      const [sound] = await this.#load(signal, this.builtIn.recording);
      if (signal.aborted || !sound) return;
      this.isBuiltIn = true;
      this.name = this.builtIn.name;
      this.sound = sound;
      if (play) await this.#play();
      // the drawing of it stands already, unless something else was shown
      const grows = Math.abs(this.reading.seconds - sound.length / RATE) > 1;
      if (grows) this.#moved = false;
      await this.#read(signal, grows);
      if (grows && !signal.aborted && !this.#player.playing) this.#look();
    });
  }

  /** Reads a recording of the visitor's. */
  async readFile(file: File): Promise<void> {
    await this.#try(async (signal) => {
      this.receipt.count(`Decoding ${file.name}, ${size(file.size)}.`);
      const { samples } = await decode(await file.arrayBuffer(), RATE);
      if (signal.aborted) return;
      if (samples.length < STEP * RATE) {
        throw new Error(`${file.name} is shorter than one step of the model, 32 ms. Drop a longer recording.`);
      }
      await this.#load(signal);
      if (signal.aborted) return;
      this.isBuiltIn = false;
      this.name = file.name;
      this.sound = samples;
      this.strip.playhead = 0;
      this.#moved = false;
      await this.#read(signal, true);
    });
  }

  /** Reads the same sound with another model. */
  async change(model: ModelName): Promise<void> {
    this.model = model;
    if (!this.sound) return this.readBuiltIn();
    await this.#try(async (signal) => {
      await this.#load(signal);
      if (!signal.aborted) await this.#read(signal, false);
    });
  }

  /** Plays or pauses. The built-in recording is fetched first, if nothing is there. */
  async listen(): Promise<void> {
    if (this.#live) return this.stop();
    this.#player.wake();
    if (!this.sound) return this.readBuiltIn(true);
    if (this.#player.playing) this.#player.pause();
    else await this.#play();
  }

  async #play(): Promise<void> {
    if (!this.#moved) this.#player.seek(this.strip.from);
    this.#moved = true;
    try {
      await this.#player.play();
    } catch (error) {
      this.receipt.fail((error as Error).message);
    }
  }

  /** Hears the microphone, until stop(). */
  async hearMicrophone(): Promise<void> {
    await this.#try(async (signal) => {
      const [, loaded] = await this.#load(signal);
      const live = await Live.open(this.model, loaded, () => this.#grow(live));
      if (signal.aborted) return live.stop();
      this.#live = live;
      live.reading.order = this.reading.order;
      this.isBuiltIn = false;
      this.name = 'microphone';
      this.sound = undefined;
      this.#show(live.reading, Live.SPAN);
      this.onChange('live');
      await live.ended;
      if (this.#live === live) this.#live = undefined;
      if (signal.aborted) return;
      this.sound = live.reading.samples.subarray(0, live.reading.steps * STEP * RATE);
      if (!this.sound.length) {
        this.sound = undefined;
        throw new Error('The microphone gave no sound. Look at the system’s sound settings, and try again.');
      }
      this.#moved = false;
      this.#show(live.reading);
      sayHeard(this.receipt, live.reading, loaded, false);
    });
  }

  /** Ends listening to the microphone. */
  stop(): void {
    this.#live?.stop();
  }

  setThresholds(thresholds: Thresholds): void {
    this.thresholds = thresholds;
    this.#find();
    this.strip.redraw();
  }

  /** Runs what a visitor began; what was begun before ends. Whatever fails is said in place, and the last strip stays. */
  async #try(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#player.pause();
    this.stop();
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.onChange('busy');
    try {
      const reason = whyNot();
      if (reason) throw new Error(reason);
      await run(signal);
    } catch (error) {
      if (!signal.aborted) this.receipt.fail((error as Error).message);
    }
    if (!signal.aborted) this.onChange(this.#player.playing ? 'playing' : 'still');
  }

  /** Fetches the model, and a recording if there is one to fetch. */
  async #load(
    signal: AbortSignal,
    recording?: string,
  ): Promise<[sound: Float32Array<ArrayBuffer> | undefined, model: Loaded]> {
    const come = { model: { come: 0, all: 0 }, sound: { come: 0, all: 0 } };
    const count = () => {
      if (signal.aborted) return;
      const parts = Object.entries(come).filter(([, { all }]) => all > 0);
      const text = parts.map(([name, { come, all }]) => `${name} ${size(come)} of ${size(all)}`).join(', ');
      this.receipt.count(`Loading: ${text}.`);
    };
    const [sound, model] = await Promise.all([
      recording &&
        fetchBytes(recording, (so, all) => {
          come.sound = { come: so, all };
          count();
        }),
      loadModel(this.model, (bytes) => {
        come.model = bytes;
        count();
      }),
    ]);
    this.#loaded = model;
    return [sound ? (await decode(sound.bytes.buffer as ArrayBuffer, RATE)).samples : undefined, model];
  }

  /** @param grows whether the strip shows what has come so far; or else it stays as it is until all has come */
  async #read(signal: AbortSignal, grows: boolean): Promise<void> {
    const sound = this.sound!;
    const reading = new Reading(Math.floor(sound.length / RATE / STEP) * STEP, this.#loaded!.limit, sound);
    reading.order = this.reading.order;
    if (grows) this.#show(reading, sound.length / RATE);
    const begun = performance.now();
    let drawn = 0;
    const seconds = Math.round(sound.length / RATE);
    const order = await hearAll(
      this.model,
      sound,
      (part) => {
        reading.add(part);
        if (!grows || performance.now() - drawn < PAUSE) return;
        drawn = performance.now();
        if (seconds > 20) this.receipt.count(`Read ${Math.round(reading.seconds)} of ${seconds} s.`);
        this.#find();
        this.strip.redraw();
      },
      signal,
    );
    if (!order) return;
    const milliseconds = performance.now() - begun;
    reading.order = order;
    this.#show(reading);
    sayRead(this.receipt, reading, milliseconds, this.#loaded!, this.builtIn.where);
  }

  #grow(live: Live): void {
    if (this.#live !== live) return;
    this.#find(true);
    this.strip.extend(Math.max(live.reading.seconds, STEP), Live.SPAN);
    this.strip.playhead = live.reading.seconds;
    sayHeard(this.receipt, live.reading, this.#loaded!, true);
  }

  /** Puts a reading on the strip, in the view that was there if it is as long as the one before. */
  #show(reading: Reading, length = reading.seconds): void {
    const { from, to, playhead } = this.strip;
    const isSame = this.reading.steps > 0 && Math.abs(length - this.strip.length) < 1;
    this.reading = reading;
    if (this.#isShown) this.strip.extend(length, length);
    else
      this.strip.show(
        this.rows(() => this),
        length,
      );
    this.#isShown = true;
    if (isSame) this.strip.look(from, to);
    this.strip.playhead = playhead;
    this.#find();
  }
  #isShown = false;

  #look(): void {
    const view = this.builtIn.view();
    if (!view) return;
    this.strip.look(view.from, view.to);
    this.strip.playhead = view.playhead;
  }

  #find(open = false): void {
    this.stretches = stretches(this.reading.probabilities, this.reading.steps, this.thresholds, open);
    this.strip.summary = summarize(this);
    this.onChange(this.#live ? 'live' : this.#player.playing ? 'playing' : 'still');
  }
}
