import { count, duration, size } from '../../kit/format.ts';
import type { Receipt } from '../../kit/receipt.ts';
import { make, showTrouble } from './side.ts';
import type { Described, Gates, Ran, Trouble } from './types.ts';

/** The line above the strip: which file it is, and whether it runs. */
export class Verdict {
  constructor(private readonly section: HTMLElement) {}

  /** Says something of a file. */
  say(name: string, ...parts: (string | Node)[]): void {
    const file = this.section.querySelector<HTMLElement>('.file')!;
    file.textContent = name;
    file.title = name;
    const line = this.section.querySelector('.verdict')!;
    line.classList.remove('error');
    line.replaceChildren(...parts);
  }

  /** Says of a model that it runs. */
  approve({ name, bytes, seconds, format }: Described): void {
    const part =
      format === 'ONNX'
        ? 'Every operator in it is supported.'
        : /Keras|TensorFlow/.test(format)
          ? 'Every layer in it is supported.'
          : `It is ${format}.`;
    this.say(name, make('b', '', 'Runs.'), ` ${size(bytes)} read and ready in ${duration(seconds)}. ${part}`);
    this.#trouble(undefined);
  }

  /** Says why a file does not run. @param before the model that stays where a file cannot be read at all */
  refuse(name: string, trouble: Trouble, before?: string): void {
    const { missing, isBad, message } = trouble;
    const shown = `${missing.slice(0, 6).join(', ')}${missing.length > 6 ? ' …' : '.'}`;
    const what = missing.length
      ? `${missing.length === 1 ? '1 part is' : `${count(missing.length)} parts are`} missing: ${shown}`
      : message.replace(/([^.!?])$/, '$1.');
    const kind = before ? 'Not read. ' : isBad ? 'Damaged. ' : 'Does not run. ';
    this.say(name, make('b', '', kind), what, before ? ` Below is still ${before}.` : '');
    this.section.querySelector('.verdict')!.classList.add('error');
    this.#trouble(trouble);
  }

  #trouble(trouble: Trouble | undefined): void {
    showTrouble(this.section.querySelector('.trouble')!, trouble);
  }
}

/** The receipt of a run. @param code bytes of code that were fetched for it; 0 if the browser does not say */
export function sayRun(receipt: Receipt, { steps, seconds, compared, isSame, fed }: Ran, code: number): void {
  const each = duration(seconds / Math.max(1, steps));
  receipt.say(
    [
      { b: `${fed}: ${count(steps)} ${steps === 1 ? 'step' : 'steps'} in ${duration(seconds)}, ${each} each` },
      ', here, just now.',
    ],
    [
      isSame ? compared : 'No gates are shown: see beside the strip.',
      code ? ` ${size(code)} of code, fetched once. ` : ' ',
      'The file stayed in this tab.',
    ],
  );
}

/** What is to be said of a run beside the strip. @param sharing units that share a line of the screen; 0 if none do */
export function notesOf(ran: Ran, gates: Gates | undefined, sharing: number): string[] {
  return [
    ...(ran.isSame ? [] : [ran.compared]),
    ...(ran.answer ? [`Its answer: ${ran.answer}.`] : []),
    ...ran.notes,
    ...(sharing
      ? [`There are more units than lines of this screen: a line is the mean of ${sharing.toFixed(1)} neighbours.`]
      : []),
    ...(gates && !ran.said ? ['It says nothing at each step: units are sorted by activity in place of effect.'] : []),
  ];
}

/** The strip in a sentence, for those who do not see it. */
export function summaryOf({ name }: Described, ran: Ran, gates: Gates | undefined): string {
  const time = ran.isSound ? `${ran.length.toFixed(1)} seconds` : `${count(ran.length)} steps`;
  if (!gates) return `${name} on ${ran.fed}, ${time}. ${ran.compared}`;
  const what = 'heat maps of the gates i, f, g and o, the cell state c and the output h';
  const how = 'Up and down pick a unit, left and right a step; its numbers are told.';
  return `${name} on ${ran.fed}, ${time}: ${what} of ${count(gates.hidden)} units over ${count(gates.count)} steps. ${how}`;
}
