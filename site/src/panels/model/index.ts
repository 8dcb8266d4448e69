import './model.css';
import { takeChosen, takeFiles } from '../../kit/drop.ts';
import { size } from '../../kit/format.ts';
import { Receipt } from '../../kit/receipt.ts';
import { whyNot } from '../../kit/simd.ts';
import type { Strip } from '../../kit/strip.ts';
import { Calls } from '../../kit/worker.ts';
import { Chart } from './chart.ts';
import { EXAMPLE, loadDrawing, loadExample } from './example.ts';
import { Inputs } from './inputs.ts';
import { Listening } from './listening.ts';
import { Saver } from './saver.ts';
import { type Seen, seen } from './seen.ts';
import { make, showCells, showContents, showMoment } from './side.ts';
import type { Described, Ran } from './types.ts';
import { answerOf, type Order, orderUnits } from './units.ts';
import { notesOf, sayRun, summaryOf, Verdict } from './verdict.ts';
import type { ModelWorker } from './worker.ts';

/** Names of files that are models, and of inputs. */
const MODELS = /\.(safetensors|onnx|keras|h5|hdf5|pt|pth|ckpt|nam|json|bin|data)$/i;
const INPUTS = /\.(npy|csv|tsv)$/i;
/** Sounds are the voice panel's, unless this one alone is on the screen. */
const SOUNDS = /\.(wav|mp3|ogg|flac|m4a)$/i;
/** The part of the drawing at which the playhead stands before anyone moves it. */
const IDLE = 0.65;
/** Samples a second where a model does not say. */
const RATE = 16_000;

export function start(section: HTMLElement): void {
  new Panel(section).begin();
}

class Panel {
  #worker: Calls<ModelWorker> | undefined;
  readonly #strip: Strip;
  readonly #chart: Chart;
  readonly #receipt: Receipt;
  readonly #verdict: Verdict;
  readonly #saver: Saver;
  readonly #inputs: Inputs;
  readonly #listening: Listening;
  /** The files of the model that is shown; undefined before the example is loaded. */
  #files: readonly File[] | undefined;
  /** Whether the worker has that model. */
  #isOpen = false;
  #described: Described | undefined;
  #ran: Ran | undefined;
  /** The name of the model that the strip is of. */
  #shown = EXAMPLE;
  #seen: Seen | undefined;
  #lstm: string | undefined;
  /** What is going on: another job or a stop makes it another number, and answers of jobs before are dropped. */
  #job = 0;
  #isBusy = false;

  constructor(private readonly section: HTMLElement) {
    this.#strip = this.#find('lw-strip');
    this.#receipt = new Receipt(this.#find('.receipt'));
    this.#verdict = new Verdict(section);
    this.#chart = new Chart(this.#strip, () => showMoment(this.#find('.moment'), this.#chart.moment));
    this.#inputs = new Inputs(section, () => void this.#runAgain());
    this.#listening = new Listening(this.#find('[data-play]'), this.#strip, this.#chart, (why) =>
      this.#receipt.fail(why),
    );
    const calls = () => this.#calls();
    this.#saver = new Saver(this.#find('.savings'), calls, () => this.#lstm);
  }

  #find<T extends HTMLElement>(selector: string): T {
    return this.section.querySelector<T>(selector)!;
  }

  begin(): void {
    this.section.dataset.started = '';
    // a list that scrolls can be reached by the keyboard
    this.#find('.list').tabIndex = 0;
    this.#listen();
    const why = whyNot();
    if (why) this.#receipt.fail(why);
    loadDrawing().then(
      ({ described, ran, gates }) => {
        if (this.#described) return;
        [this.#described, this.#ran] = [described, ran];
        this.#seen = seen(gates, answerOf(ran.said!));
        this.#lstm = ran.cells[0]?.lstm;
        this.#show(false);
        this.#chart.seek(IDLE * ran.length);
      },
      (error: Error) => this.#receipt.fail(error.message),
    );
  }

  #listen(): void {
    takeFiles({
      section: this.section,
      suits: (name) => (MODELS.test(name) ? 2 : INPUTS.test(name) ? 1 : SOUNDS.test(name) ? 0.95 : 0.1),
      note: 'Drop it: Your model will read it.',
      take: (files) => this.#take(files),
    });
    takeChosen(this.#find('[data-model]'), (files) => void this.#runAgain(files));
    this.#find('[data-run]').addEventListener('click', () => (this.#isBusy ? this.#stop() : void this.#runAgain()));
    this.#find('[data-choice="order"]').addEventListener('change', () => {
      if (this.#seen) this.#chart.sort(this.#order());
    });
    this.#find('#model-cell').addEventListener('change', ({ target }) => {
      void this.#choose((target as HTMLSelectElement).value);
    });
    for (const button of this.section.querySelectorAll<HTMLElement>('[data-zoom]')) {
      button.addEventListener('click', () => {
        const times = Number(button.dataset.zoom);
        if (times) this.#strip.zoom(times);
        else this.#strip.look(0, this.#strip.length);
      });
    }
  }

  #calls(): Calls<ModelWorker> {
    this.#worker ??= new Calls<ModelWorker>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
    return this.#worker;
  }

  /** Takes files that were dropped: a model, or an input for the one that is there. */
  #take(files: readonly File[]): void {
    const [{ name }] = files as [File];
    if (files.length === 1 && (INPUTS.test(name) || SOUNDS.test(name))) this.#inputs.take(files[0]!);
    else void this.#runAgain(files);
  }

  /** Runs the model on what is chosen, after opening it if it is not open yet. @param files another model */
  async #runAgain(files?: readonly File[]): Promise<void> {
    if (this.#isBusy) this.#stop();
    const job = ++this.#job;
    this.#busy(true);
    try {
      const isRead = files || !this.#isOpen ? await this.#open(job, files) : true;
      if (job === this.#job && isRead && !this.#described!.trouble) await this.#run(job);
    } catch (error) {
      if (job === this.#job) this.#receipt.fail((error as Error).message);
    } finally {
      if (job === this.#job) this.#busy(false);
    }
  }

  /** Reads files; without any, those before or the example. Files that cannot be read leave what was there before. */
  async #open(job: number, given = this.#files): Promise<boolean> {
    const files = given ?? [await loadExample((text) => job === this.#job && this.#verdict.say(EXAMPLE, text))];
    if (job !== this.#job) return false;
    this.#verdict.say(files[0]!.name, `Reading ${size(files.reduce((sum, file) => sum + file.size, 0))}.`);
    const answer = await this.#calls().call('open', [files]);
    if (job !== this.#job) return false;
    if (!('contents' in answer)) {
      this.#verdict.refuse(answer.name, answer.trouble, this.#described?.name ?? EXAMPLE);
      return false;
    }
    const isOther = files !== this.#files;
    [this.#described, this.#files, this.#isOpen] = [answer, files, true];
    if (isOther) {
      this.#lstm = undefined;
      if (given) this.#inputs.offer(answer.offers, answer.takes);
    }
    this.#saver.clear(answer.name);
    showContents(this.#find('.contents'), answer, [], undefined, (lstm) => void this.#chooseLstm(lstm));
    // of the run before, whose gates are gone
    this.#find('#model-cell').parentElement!.hidden = true;
    if (answer.trouble) {
      this.#verdict.refuse(answer.name, answer.trouble);
      this.#find('.notes').textContent = `The strip is of ${this.#shown}, the last model that ran.`;
      this.#receipt.say(['Nothing ran. The file stayed in this tab.']);
    } else this.#verdict.approve(answer);
    return true;
  }

  async #run(job: number): Promise<void> {
    const given = await this.#inputs.given(this.#described!.rate ?? RATE);
    if (job !== this.#job) return;
    const ran = await this.#calls().call('run', [given, this.#lstm]);
    const cell = ran.cells.find(({ lstm }) => lstm === this.#lstm) ?? ran.cells[0];
    const found = cell && (await this.#calls().call('gates', [cell.key]));
    if (job !== this.#job) return;
    const keep = this.#ran?.length === ran.length;
    [this.#ran, this.#seen, this.#lstm] = [ran, found, cell?.lstm ?? this.#lstm];
    this.#shown = this.#described!.name;
    this.#verdict.approve(this.#described!);
    this.#listening.use('samples' in given ? given : undefined, ran.length);
    this.#show(keep);
    sayRun(this.#receipt, ran, await this.#calls().call('code', []));
    await this.#saver.measure();
  }

  #stop(): void {
    this.#job++;
    this.#worker?.end();
    [this.#worker, this.#isOpen] = [undefined, false];
    this.#busy(false);
    this.#saver.stop();
    this.#receipt.say(['Stopped. What was there before stays.']);
  }

  /** Shows another LSTM: of a state dict it has to run first. */
  async #chooseLstm(lstm: string): Promise<void> {
    if (!this.#isOpen) return;
    this.#lstm = lstm;
    const cell = this.#ran?.cells.find((each) => each.lstm === lstm);
    if (cell) await this.#choose(cell.key);
    else await this.#runAgain();
  }

  async #choose(key: string): Promise<void> {
    if (!this.#isOpen) return;
    const job = this.#job;
    const found = await this.#calls().call('gates', [key]);
    if (job !== this.#job) return;
    this.#seen = found;
    this.#lstm = this.#ran!.cells.find((cell) => cell.key === key)?.lstm;
    this.#show(true);
  }

  #order(): Uint32Array {
    const by = this.#find<HTMLInputElement>('[name="model-order"]:checked').value as Order;
    return orderUnits(this.#seen!, by);
  }

  /** Draws the last run. @param keep whether the part of the time that is seen stays */
  #show(keep: boolean): void {
    const [ran, found, described] = [this.#ran!, this.#seen, this.#described!];
    const gates = found?.gates;
    this.#chart.show(ran, found, found ? this.#order() : new Uint32Array(0), keep);
    showCells(this.#find('#model-cell'), ran, gates?.key);
    showContents(this.#find('.contents'), described, ran.cells, this.#lstm, (lstm) => void this.#chooseLstm(lstm));
    const lines = notesOf(ran, gates, this.#chart.sharing);
    this.#find('.notes').replaceChildren(...lines.flatMap((line) => [line, make('br', '')]));
    this.#strip.summary = summaryOf(described, ran, gates);
  }

  #busy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    const button = this.#find<HTMLButtonElement>('[data-run]');
    button.disabled = !isBusy && this.#described?.trouble !== undefined;
    button.querySelector('span')!.textContent = isBusy ? 'Stop' : this.#isOpen ? 'Run again' : 'Run it';
    button.querySelector('use')!.setAttribute('href', isBusy ? '#icon-pause' : '#icon-play');
    this.section.toggleAttribute('data-busy', isBusy);
  }
}
