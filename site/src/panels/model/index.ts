import './model.css';
import { sentBytes } from '../../kit/bytes.ts';
import { takeChosen, takeFiles } from '../../kit/drop.ts';
import { count, duration, size } from '../../kit/format.ts';
import { Receipt } from '../../kit/receipt.ts';
import { whyNot } from '../../kit/simd.ts';
import type { Strip } from '../../kit/strip.ts';
import { Calls } from '../../kit/worker.ts';
import { Chart } from './chart.ts';
import { EXAMPLE, loadDrawing, loadExample, loadInput, loadRecording } from './example.ts';
import { Saver } from './saver.ts';
import { make, showCells, showContents, showMoment, showTrouble } from './side.ts';
import type { Described, Gates, Given, Ran, Source, Trouble } from './types.ts';
import { answerOf, type Order, orderUnits } from './units.ts';
import type { ModelWorker } from './worker.ts';

/** Names of files that this panel takes, and of inputs that it takes better than others when a model is there. */
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
  #chart: Chart;
  #receipt: Receipt;
  #saver: Saver;
  /** The files of the model that is shown; undefined before the example is loaded. */
  #files: readonly File[] | undefined;
  #isOpen = false;
  #described: Described | undefined;
  #ran: Ran | undefined;
  #gates: Gates | undefined;
  #lstm: string | undefined;
  #input: File | undefined;
  #seed = 1;
  /** What is going on: another job or a stop makes it another number, and answers of jobs before are dropped. */
  #job = 0;
  #isBusy = false;

  constructor(private readonly section: HTMLElement) {
    this.#receipt = new Receipt(this.#find('.receipt'));
    this.#chart = new Chart(this.#find<Strip>('lw-strip'), () =>
      showMoment(this.#find('.moment'), this.#chart?.moment),
    );
    this.#saver = new Saver(
      this.#find('.savings'),
      () => this.#calls(),
      () => this.#lstm,
    );
  }

  #find<T extends HTMLElement>(selector: string): T {
    return this.section.querySelector<T>(selector)!;
  }

  begin(): void {
    this.section.dataset.started = '';
    // a list that scrolls can be reached by the keyboard
    this.#find('.list').tabIndex = 0;
    this.#listen();
    takeFiles({
      section: this.section,
      suits: (name) => (MODELS.test(name) ? 2 : INPUTS.test(name) ? 1 : SOUNDS.test(name) ? 0.95 : 0.1),
      note: 'Drop it: Your model will read it.',
      take: (files) => this.#take(files),
    });
    const why = whyNot();
    if (why) this.#receipt.fail(why);
    loadDrawing().then(
      ({ described, ran, gates }) => {
        if (this.#described) return;
        [this.#described, this.#ran, this.#gates] = [described, ran, gates];
        this.#lstm = ran.cells[0]?.lstm;
        this.#show(false);
        // a moment of speech
        this.#chart.seek(IDLE * ran.length);
      },
      (error: Error) => this.#receipt.fail(error.message),
    );
  }

  #listen(): void {
    this.#find('[data-run]').addEventListener('click', () => (this.#isBusy ? this.#stop() : void this.#runAgain()));
    takeChosen(this.#find('[data-model]'), (files) => this.#take(files));
    takeChosen(this.#find('[data-input]'), ([file]) => this.#takeInput(file!));
    this.#find('[data-choice="source"]').addEventListener('change', (event) => {
      const { type, value } = event.target as HTMLInputElement;
      if (type !== 'radio') return;
      this.#showInput(undefined);
      this.#find('.typed').hidden = value !== 'typed';
      if (value !== 'typed') void this.#runAgain();
      else this.#find('textarea').focus();
    });
    this.#find('[data-choice="order"]').addEventListener(
      'change',
      () => this.#gates && this.#chart.sort(this.#order()),
    );
    this.#find<HTMLSelectElement>('#model-cell').addEventListener('change', ({ target }) => {
      void this.#choose((target as HTMLSelectElement).value);
    });
    for (const button of this.section.querySelectorAll<HTMLElement>('[data-zoom]')) {
      button.addEventListener('click', () => {
        const strip = this.#find<Strip>('lw-strip');
        const times = Number(button.dataset.zoom);
        if (times) strip.zoom(times);
        else strip.look(0, strip.length);
      });
    }
  }

  #calls(): Calls<ModelWorker> {
    this.#worker ??= new Calls<ModelWorker>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
    return this.#worker;
  }

  /** Takes files that were dropped or chosen: a model, or an input for the one that is there. */
  #take(files: readonly File[]): void {
    if (files.length === 1 && !MODELS.test(files[0]!.name)) {
      this.#takeInput(files[0]!);
      return;
    }
    void this.#runAgain(files);
  }

  #takeInput(file: File): void {
    this.#showInput(file);
    for (const radio of this.section.querySelectorAll<HTMLInputElement>('[name="model-source"]')) radio.checked = false;
    void this.#runAgain();
  }

  /** Opens the model if it is not open yet, and runs it on what is chosen. */
  async #runAgain(files?: readonly File[]): Promise<void> {
    if (this.#isBusy) this.#stop();
    const job = ++this.#job;
    this.#busy(true);
    try {
      const isRead = files || !this.#isOpen ? await this.#open(job, files) : true;
      if (job === this.#job && isRead && this.#described && !this.#described.trouble) await this.#run(job);
    } catch (error) {
      if (job === this.#job) this.#fail(error as Error);
    } finally {
      if (job === this.#job) this.#busy(false);
    }
  }

  /** Reads files; without any, those before or the example. Files that cannot be read leave what was there before. */
  async #open(job: number, given = this.#files): Promise<boolean> {
    const files = given ?? [await loadExample((text) => job === this.#job && this.#say(EXAMPLE, text))];
    this.#say(files[0]!.name, `Reading ${size(files.reduce((sum, file) => sum + file.size, 0))}.`);
    const answer = await this.#calls().call('open', [files]);
    if (job !== this.#job) return false;
    if (!('contents' in answer)) {
      this.#refuse(answer.name, answer.trouble, true);
      return false;
    }
    if (files !== this.#files) this.#showInput(undefined);
    [this.#described, this.#files, this.#isOpen, this.#lstm] = [answer, files, true, undefined];
    this.#saver.clear(answer.name);
    showContents(this.#find('.contents'), answer, [], undefined, (lstm) => void this.#chooseLstm(lstm));
    this.#offer(answer.offers, answer.takes);
    if (answer.trouble) this.#refuse(answer.name, answer.trouble);
    else this.#approve(answer);
    return true;
  }

  /** Names the file of inputs that is fed, in place of what else there is to choose. */
  #showInput(file: File | undefined): void {
    this.#input = file;
    const chip = this.#find('.chip');
    chip.classList.toggle('chosen', file !== undefined);
    const name = file && (file.name.length > 24 ? `${file.name.slice(0, 23)}…` : file.name);
    chip.querySelector('span')!.textContent = name ?? 'A .wav, .npy or .csv';
  }

  /** Says of a model that it runs. */
  #approve({ name, bytes, seconds, format }: Described): void {
    const part = format === 'ONNX' ? 'Every operator in it is supported.' : `${format}.`;
    this.#say(name, make('b', '', 'Runs.'), ` ${size(bytes)} read and ready in ${duration(seconds)}. ${part}`);
    showTrouble(this.#find('.trouble'), undefined);
  }

  #refuse(name: string, trouble: Trouble, isUnread = false): void {
    const { missing, isBad, message } = trouble;
    const what = missing.length
      ? `${missing.length === 1 ? 'one part is' : `${count(missing.length)} parts are`} missing: ${missing.slice(0, 6).join(', ')}${missing.length > 6 ? ' …' : ''}.`
      : message;
    this.#say(
      name,
      make('b', '', isUnread ? 'Not read. ' : isBad ? 'Damaged. ' : 'Does not run. '),
      what,
      isUnread ? ` Below is still ${this.#described?.name}.` : '',
    );
    this.#find('.verdict').classList.add('error');
    showTrouble(this.#find('.trouble'), trouble);
  }

  async #run(job: number): Promise<void> {
    const given = await this.#given();
    if (job !== this.#job) return;
    const ran = await this.#calls().call('run', [given, this.#lstm]);
    const cell = ran.cells.find(({ lstm }) => lstm === this.#lstm) ?? ran.cells[0];
    const gates = cell && (await this.#calls().call('gates', [cell.key]));
    if (job !== this.#job) return;
    const keep = this.#ran?.length === ran.length;
    [this.#ran, this.#gates, this.#lstm] = [ran, gates, cell?.lstm ?? this.#lstm];
    this.#approve(this.#described!);
    this.#show(keep);
    this.#tell(ran);
    await this.#saver.measure();
  }

  /** What the model is run on. */
  async #given(): Promise<Given> {
    const rate = this.#described?.rate ?? RATE;
    if (this.#input) return loadInput(this.#input, rate);
    const source = this.section.querySelector<HTMLInputElement>('[name="model-source"]:checked')?.value as Source;
    if (source === 'random') return { kind: 'random', seed: this.#seed++ };
    if (source === 'typed') return { kind: 'typed', text: this.#find<HTMLTextAreaElement>('textarea').value };
    return loadRecording(rate);
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
    this.#lstm = lstm;
    const cell = this.#ran?.cells.find((each) => each.lstm === lstm);
    if (cell && this.#isOpen) await this.#choose(cell.key);
    else if (this.#isOpen) await this.#runAgain();
  }

  async #choose(key: string): Promise<void> {
    if (!this.#isOpen) return;
    const gates = await this.#calls().call('gates', [key]);
    this.#gates = gates;
    this.#lstm = this.#ran!.cells.find((cell) => cell.key === key)?.lstm;
    this.#show(true);
  }

  #order(): Uint32Array {
    const by = this.section.querySelector<HTMLInputElement>('[name="model-order"]:checked')?.value as Order;
    return orderUnits(this.#gates!, by, this.#ran!.said && answerOf(this.#ran!.said));
  }

  /** Draws the last run. */
  #show(keep: boolean): void {
    const [ran, gates] = [this.#ran!, this.#gates];
    this.#chart.show(ran, gates, gates ? this.#order() : new Uint32Array(0), keep);
    showCells(this.#find('#model-cell'), ran, gates?.key);
    showContents(
      this.#find('.contents'),
      this.#described!,
      ran.cells,
      this.#lstm,
      (lstm) => void this.#chooseLstm(lstm),
    );
    const { sharing } = this.#chart;
    const shared = sharing
      ? [`There are more units than lines of this screen: each line is the mean of ${sharing.toFixed(1)} neighbours.`]
      : [];
    const order = ran.said ? [] : ['It says nothing at each step: units are sorted by activity in place of effect.'];
    const lines = [
      ...(ran.isSame ? [] : [ran.compared]),
      ...(ran.answer ? [`Its answer: ${ran.answer}.`] : []),
      ...ran.notes,
      ...shared,
      ...(gates ? order : []),
    ];
    this.#find('.notes').replaceChildren(...lines.flatMap((line) => [line, make('br', '')]));
    this.#find<Strip>('lw-strip').summary = summaryOf(this.#described!, ran, gates);
  }

  #offer(offers: readonly Source[], takes: string): void {
    const inputs = [...this.section.querySelectorAll<HTMLInputElement>('[name="model-source"]')];
    for (const input of inputs) input.disabled = !offers.includes(input.value as Source);
    if (inputs.some(({ checked, disabled }) => checked && disabled)) {
      const first = inputs.find(({ disabled }) => !disabled);
      if (first) first.checked = true;
    }
    this.#find('.typed label').textContent = `A row a step, with commas: ${takes}`;
  }

  #tell({ steps, seconds, compared, isSame, fed }: Ran): void {
    const code = sentBytes((url) => /\.js$/.test(url));
    this.#receipt.say(
      [
        {
          b: `${fed}: ${count(steps)} ${steps === 1 ? 'step' : 'steps'} in ${duration(seconds)}, ${duration(seconds / Math.max(1, steps))} each`,
        },
        ', here, just now.',
      ],
      [
        isSame ? compared : 'No gates are shown, see beside the strip.',
        code ? ` ${size(code)} of code. ` : ' ',
        'The file stayed in this tab.',
      ],
    );
  }

  #say(name: string, ...parts: (string | Node)[]): void {
    this.#find('.file').textContent = name;
    this.#find('.file').title = name;
    this.#find('.verdict').classList.remove('error');
    this.#find('.verdict').replaceChildren(...parts);
  }

  #fail(error: Error): void {
    this.#receipt.fail(error.message);
  }

  #busy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    const button = this.#find('[data-run]');
    button.querySelector('span')!.textContent = isBusy ? 'Stop' : this.#isOpen ? 'Run again' : 'Run it';
    button.querySelector('use')!.setAttribute('href', isBusy ? '#icon-pause' : '#icon-play');
    this.section.toggleAttribute('data-busy', isBusy);
  }
}

function summaryOf({ name }: Described, ran: Ran, gates: Gates | undefined): string {
  const time = ran.isSound ? `${ran.length.toFixed(1)} seconds` : `${count(ran.length)} steps`;
  if (!gates) return `${name} on ${ran.fed}, ${time}. ${ran.compared}`;
  return `${name} on ${ran.fed}, ${time}: heat maps of the gates i, f, g and o, the cell state c and the output h of ${count(gates.hidden)} units over ${count(gates.count)} steps. Up and down pick a unit, left and right a step; its numbers are told.`;
}
