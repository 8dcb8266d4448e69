import { takeChosen, takeFiles } from '../../kit/drop.ts';
import type { Receipt } from '../../kit/receipt.ts';
import type { Strip } from '../../kit/strip.ts';
import { Controls } from './controls.ts';
import { sentence } from './errors.ts';
import { Meter } from './levels.ts';
import { LivePeaks } from './live-peaks.ts';
import { type AmpFile, isAmpFile, readAmpFile } from './model-file.ts';
import { Picture } from './picture.ts';
import { type Rendered, render } from './render.ts';
import { openLive, Rig, type Settings } from './rig.ts';
import { Scope } from './scope.ts';
import { Words } from './words.ts';

/** Seconds that the scope draws, and that live input shows. */
const LATELY = 0.02;
const LIVE_SPAN = 8;
/** Seconds over which the node measures its load before it is said. */
const STRETCH = 2;
/** Milliseconds for which an error stands, though sound plays on. */
const READING = 10_000;
/** A core that is busier than this has no room for the rest of the page. */
const HOT = 0.7;
/** Where the playhead stands at first: a chord rings there. */
const FIRST_LOOK = 0.28;
/** Milliseconds between two pictures where a visitor wants little motion. */
const CALM = 250;

/** The amp's panel: what is drawn, what is heard, and what is said of both. */
export class Panel {
  #strip: Strip;
  #scope: Scope;
  #controls: Controls;
  #amp!: AmpFile;
  #rendered?: Rendered;
  #picture: Picture;
  #rig: Rig | undefined;
  #live: LivePeaks | undefined;
  #playing = false;
  #busy = false;
  #frame = 0;
  #drawn = 0;
  #renders = 0;
  #failed = Number.NEGATIVE_INFINITY;
  #words: Words;

  constructor(
    private readonly section: HTMLElement,
    private readonly receipt: Receipt,
    riff: Float32Array,
    rate: number,
  ) {
    this.#words = new Words(receipt);
    this.#picture = new Picture(riff, rate);
    this.#scope = new Scope(section.querySelector('canvas')!, section.querySelector('figcaption')!);
    this.#controls = new Controls(section, {
      play: () => this.#toggle(),
      live: () => this.#alone(() => (this.#live ? this.#endLive() : this.#playLive())),
      changed: (what) => this.#change(what),
    });
    this.#strip = this.#makeStrip();
    takeFiles({
      section,
      suits: (name) => (isAmpFile(name) ? 1 : 0),
      note: 'Drop it: the guitar plays through it.',
      take: ([file]) => this.#takeFile(file!),
    });
    takeChosen(section.querySelector('input[type="file"]')!, ([file]) => this.#takeFile(file!));
  }

  /** Plays through another amp from now on. @throws what the package says of a file that is none; the amp before plays on */
  async take(amp: AmpFile): Promise<void> {
    let rendered = await this.#render(amp, []);
    const rig = this.#playing ? this.#rig : undefined;
    const fits = rig && rig.node.knobs.length >= rendered.knobs;
    if (fits) await rig.load(amp);
    this.#amp = amp;
    this.#controls.show(amp, rendered);
    const { knobs } = this.#controls;
    if (knobs.length) rendered = await this.#render(amp, knobs);
    this.#draw(rendered);
    if (!fits) await this.#reopen();
    if (!this.#playing) await this.#words.sayRendered(amp, this.#picture.seconds, rendered);
  }

  #render(amp: AmpFile, knobs: readonly number[]): Promise<Rendered> {
    return render(amp, this.#picture.riff, this.#picture.rate, this.#controls.drive, knobs);
  }

  get #settings(): Settings {
    const { drive, level, heard, bypass, knobs } = this.#controls;
    return { drive, level, heard, bypass, knobs, match: this.#picture.match };
  }

  #makeStrip(): Strip {
    const strip = this.section.querySelector<Strip>('lw-strip')!;
    strip.show(
      this.#picture.rows(() => this.#live),
      this.#picture.seconds,
    );
    strip.step = 0.02;
    strip.playhead = FIRST_LOOK;
    strip.describe = (time) => `${time.toFixed(2)} s of ${strip.length.toFixed(1)} s`;
    strip.addEventListener('toggle', () => this.#toggle());
    strip.addEventListener('seek', () => this.#seek());
    return strip;
  }

  /** Runs what a visitor asked for, and says in place what went wrong. */
  #do(act: () => Promise<void>): void {
    act().catch((error) => {
      this.#failed = performance.now();
      this.receipt.fail(sentence(error));
    });
  }

  /** The same for what opens or ends sound: a second press while that goes on does nothing. */
  #alone(act: () => Promise<void>): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#do(() => act().finally(() => (this.#busy = false)));
  }

  #toggle(): void {
    this.#alone(() => (this.#playing ? this.#pause() : this.#play()));
  }

  #takeFile(file: File): void {
    this.#do(async () => {
      const amp = await readAmpFile(file);
      try {
        await this.take(amp);
      } catch (error) {
        throw new Error(`${file.name} does not play here: ${sentence(error)}`, { cause: error });
      }
    });
  }

  #change(what: 'tone' | 'switch'): void {
    this.#rig?.set(this.#settings);
    if (what === 'tone') this.#do(() => this.#renderAnew());
  }

  /** Draws the riff with the drive and knobs as they are; of several calls at once the last counts. */
  async #renderAnew(): Promise<void> {
    const call = ++this.#renders;
    await new Promise((resolve) => setTimeout(resolve, 60));
    if (call !== this.#renders || !this.#amp) return;
    const rendered = await this.#render(this.#amp, this.#controls.knobs);
    if (call !== this.#renders) return;
    this.#draw(rendered);
    if (!this.#playing) await this.#words.sayRendered(this.#amp, this.#picture.seconds, rendered);
  }

  #draw(rendered: Rendered): void {
    this.#rendered = rendered;
    this.#picture.output = rendered.output;
    this.#controls.polarity = this.#picture.sign;
    this.#scope.range = this.#picture.range(this.#controls.drive);
    this.#rig?.set(this.#settings);
    this.#strip.summary = `A riff of ${this.#picture.seconds.toFixed(1)} s, and below it the same through the amp, made as loud.`;
    this.#strip.redraw();
    if (!this.#playing) this.#lookBack();
  }

  /** Draws the scope from what was computed, where the playhead stands. */
  #lookBack(): void {
    if (this.#live) return;
    const { before, after } = this.#picture.until(this.#strip.playhead, LATELY, this.#controls.drive);
    this.#scope.show(before, after);
    this.#scope.describe();
  }

  async #play(): Promise<void> {
    if (this.#live) await this.#endLive();
    this.#rig ??= await this.#open();
    await this.#rig.play(this.#picture.riff, this.#picture.rate, this.#strip.playhead);
    this.#begin();
  }

  async #pause(): Promise<void> {
    if (this.#live) return this.#endLive();
    this.#stopFrames();
    await this.#rig?.pause();
  }

  #seek(): void {
    if (this.#live) return;
    if (this.#playing) this.#do(() => this.#play());
    else this.#lookBack();
  }

  async #playLive(): Promise<void> {
    const stream = await openLive();
    await this.#pause();
    this.#rig?.end();
    this.#rig = await this.#open(stream);
    this.#live = new LivePeaks(this.#rig.context.sampleRate);
    this.#controls.isLive = true;
    this.receipt.say([{ b: 'You play.' }, ' Wear headphones: loudspeakers feed back.']);
    this.#begin();
  }

  async #endLive(): Promise<void> {
    this.#stopFrames();
    this.#rig?.end();
    this.#rig = undefined;
    this.#live = undefined;
    this.#controls.isLive = false;
    this.#strip.extend(this.#picture.seconds, this.#picture.seconds);
    this.#strip.playhead = FIRST_LOOK;
    if (this.#rendered) this.#draw(this.#rendered);
  }

  /** Ends the audio, whose node has too few knobs or is at rest; what played begins anew. */
  async #reopen(): Promise<void> {
    const isLive = this.#live !== undefined;
    const wasPlaying = this.#playing;
    this.#stopFrames();
    this.#rig?.end();
    this.#rig = undefined;
    if (isLive) await this.#playLive();
    else if (wasPlaying) await this.#play();
  }

  async #open(stream?: MediaStream): Promise<Rig> {
    const rig = await Rig.open(this.#amp, this.#settings, stream);
    rig.node.addEventListener('error', ({ message }) => this.receipt.fail(message));
    void this.#measure(rig);
    return rig;
  }

  #begin(): void {
    this.#playing = this.#strip.playing = true;
    this.#controls.isPlaying = true;
    cancelAnimationFrame(this.#frame);
    this.#tick();
  }

  #stopFrames(): void {
    cancelAnimationFrame(this.#frame);
    this.#playing = this.#strip.playing = false;
    this.#controls.isPlaying = false;
  }

  #tick(): void {
    this.#frame = requestAnimationFrame((now) => {
      const rig = this.#rig;
      if (!rig || !this.#playing) return;
      this.#live?.add(rig, this.#controls.drive, this.#picture.match);
      const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      if (!isCalm || now - this.#drawn >= CALM) {
        this.#drawn = now;
        if (this.#live) this.#strip.extend(Math.max(this.#live.heard.seconds, 0.1), LIVE_SPAN);
        this.#strip.playhead = this.#live ? this.#live.heard.seconds : rig.time % this.#picture.seconds;
        const { before, after } = rig.read(Math.round(LATELY * rig.context.sampleRate));
        const sign = this.#controls.bypass ? 1 : this.#picture.sign;
        this.#scope.show(
          before,
          after.map((sample) => sample * sign),
        );
      }
      this.#tick();
    });
  }

  /** Says every two seconds how much of a core the node takes, until it is disposed. */
  async #measure(rig: Rig): Promise<void> {
    const meter = new Meter();
    try {
      for (;;) {
        meter.add(await rig.node.measureLoad(STRETCH));
        const isRead = performance.now() - this.#failed > READING;
        if (this.#playing && rig === this.#rig && isRead) await this.#sayLoad(meter, rig.context.sampleRate);
      }
    } catch {
      // disposed: what fails in the processor is said by its event
    }
  }

  async #sayLoad(meter: Meter, rate: number): Promise<void> {
    this.section.classList.toggle('hot', meter.load > HOT);
    this.#controls.load = meter.load;
    this.#scope.describe();
    await this.#words.sayLoad(this.#amp, meter, rate, this.#rendered!);
  }
}
