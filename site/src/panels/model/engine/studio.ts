import { type Seen, seen } from '../seen.ts';
import {
  type Described,
  GATES,
  type Gate,
  type Given,
  type Ran,
  type Saving,
  type Savings,
  type Trouble,
} from '../types.ts';
import { answerOf } from '../units.ts';
import { contentsOf, wordsOf } from './contents.ts';
import { heardOf } from './heard.ts';
import { type OpenedModel, openFiles } from './open.ts';
import { makeSequence, type Sequence } from './sequence.ts';
import { type Outcome, offersOf, type Subject } from './subject.ts';
import type { TraceLog } from './traces.ts';
import { sentenceFor, shown, troubleOf } from './trouble.ts';

/** Formulas of gates hold within this, per unit of the largest state: float32 sums in another order. */
const CLOSE = 1e-3;
/** Layers that can be chosen, at most. */
const MOST_CELLS = 500;

interface Run {
  readonly sequence: Sequence;
  readonly outcome: Outcome;
  readonly cells: ReturnType<TraceLog['all']>;
}

/** What one model is looked at with: it is read, run, and saved. It holds one model at a time. */
export class Studio {
  #opened: OpenedModel | undefined;
  #subject: Subject | undefined;
  #words: number | undefined;
  #run: Run | undefined;

  /** Reads files. What went wrong is told, not thrown; the model before stays then, unless another was read. */
  async open(files: readonly File[]): Promise<Described | { readonly trouble: Trouble; readonly name: string }> {
    const start = performance.now();
    let opened: OpenedModel;
    try {
      opened = await openFiles(files);
    } catch (error) {
      return { trouble: troubleOf(error), name: shown(files[0]!.name, 120) };
    }
    const { model } = opened;
    const contents = await contentsOf(opened).catch(() => ({ rows: [], more: 0 }));
    this.#opened = opened;
    this.#run = this.#subject = undefined;
    this.#words = wordsOf(contents.rows);
    let trouble =
      model.problem && troubleOf(model.problem.error ?? new Error(model.problem.message), model.problem.isBad);
    let subject: Subject | undefined;
    try {
      if (!trouble) subject = await this.#subjectFor(undefined);
    } catch (error) {
      trouble = troubleOf(error);
    }
    this.#subject = subject;
    return {
      name: shown(opened.name, 120),
      format: model.format,
      bytes: opened.bytes,
      seconds: (performance.now() - start) / 1000,
      parameters: model.parameters,
      contents: contents.rows,
      more: contents.more,
      facts: model.facts.slice(0, 12).map(([name, value]) => [name, shown(value, 200)] as const),
      ...(trouble ? { trouble } : {}),
      offers: subject ? (offersOf(subject.need) as Described['offers']) : [],
      takes: subject?.takes ?? '',
      ...(subject?.rate ? { rate: subject.rate } : {}),
    };
  }

  /** @param lstm which LSTM of a state dict runs, of several */
  async #subjectFor(lstm: string | undefined): Promise<Subject> {
    const opened = this.#opened!;
    const { format } = opened.model;
    if (format === 'ONNX') return (await import('./run-onnx.ts')).onnxSubject(opened, this.#words);
    if (/Keras|TensorFlow/.test(format)) return (await import('./run-keras.ts')).kerasSubject(opened, this.#words);
    const { audioSubject, stateDictSubject } = await import('./run-chain.ts');
    return /Amp Modeler|RTNeural|GuitarML/.test(format)
      ? audioSubject(opened.model)
      : stateDictSubject(opened.model, lstm);
  }

  /** Runs the model. @throws Error with a sentence */
  async run(given: Given, lstm?: string): Promise<Ran> {
    try {
      if (lstm !== undefined && this.#opened!.model.details.tensors) this.#subject = await this.#subjectFor(lstm);
      const sequence = makeSequence(given, this.#subject!.need);
      const outcome = await this.#subject!.run(sequence);
      const cells = outcome.log.all();
      this.#run = { sequence, outcome, cells };
      return report(this.#run);
    } catch (error) {
      throw new Error(sentenceFor(error));
    }
  }

  /** What a cell's maps are drawn of: arrays of their own, which may be handed over. */
  gates(key: string): Seen {
    const { cells, outcome } = this.#run!;
    const { gates } = cells.get(key)!;
    const copies = Object.fromEntries(GATES.map((name) => [name, gates[name].slice()])) as Record<Gate, Float32Array>;
    return seen({ ...gates, ...copies }, outcome.said && answerOf(outcome.said));
  }

  /** What can be saved; undefined where no LSTM has weights that PyTorch could take. */
  async savings(lstm: string | undefined): Promise<Savings | undefined> {
    const { write, describeSavings } = await import('./savings.ts');
    const written = await write(this.#opened!.model, lstm);
    return written && describeSavings(written, this.#subject!, this.#run!.sequence, this.#run!.outcome);
  }

  async save(kind: Saving['kind'], lstm: string | undefined): Promise<Uint8Array> {
    const { write } = await import('./savings.ts');
    return (await write(this.#opened!.model, lstm))!.bytes[kind]!;
  }
}

function report({ sequence, outcome, cells }: Run): Ran {
  const { every, steps } = sequence;
  const { said, answer, difference, compared } = outcome;
  const worst = Math.max(0, ...[...cells.values()].map(({ agreement }) => agreement.c));
  const isSame = difference === 0 && worst < CLOSE;
  return {
    length: every === undefined ? steps : steps * every,
    isSound: every !== undefined,
    fed: sequence.fed,
    heard: heardOf(sequence),
    ...(said ? { said } : {}),
    ...(answer ? { answer: shown(answer, 200) } : {}),
    seconds: outcome.seconds,
    steps: outcome.steps,
    cells: isSame ? [...cells.values()].slice(0, MOST_CELLS).map(({ cell }) => cell) : [],
    isSame,
    compared: comparison(cells.size, difference, worst, compared),
    notes: [...sequence.notes, ...outcome.notes],
  };
}

function comparison(cells: number, difference: number, worst: number, compared: string): string {
  if (!cells)
    return compared.startsWith('its')
      ? `No gates to show: ${compared}.`
      : 'No LSTM ran, so there are no gates to show.';
  if (difference > 0) {
    return `Gates are not shown: the traced run differs from the model's own by up to ${difference.toPrecision(1)} in ${compared}.`;
  }
  if (worst >= CLOSE)
    return `Gates are not shown: c is not f·c′ + i·g here, but up to ${worst.toPrecision(1)} of its size beside it.`;
  return `Traced and plain run agree bit for bit in ${compared}.`;
}
