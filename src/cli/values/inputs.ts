import { refuseCall } from '../errors.ts';
import type { Runner } from '../model.ts';
import type { Values } from './parse.ts';
import { readValues } from './read.ts';

// The options --input and --set.

/** Values for an input, which the call or the file names; else undefined. */
interface Input {
  readonly name: string | undefined;
  readonly values: Values;
}

/** Refuses a call that reads standard input twice. */
export function checkStandardInput(path: string, inputs: readonly string[]): void {
  const files = [path, ...inputs.map((input) => (input.endsWith('=-') ? '-' : input))];
  if (files.filter((each) => each === '-').length > 1) refuseCall('standard input can be read once');
}

/** Reads the file of `NAME=FILE` or `FILE`. */
export function readInput(input: string, runner: Runner): Input {
  const at = input.indexOf('=');
  const name = at > 0 ? input.slice(0, at) : undefined;
  const isNamed = name !== undefined && runner.inputs.some((port) => port.name === name);
  return isNamed ? { name, values: readValues(input.slice(at + 1)) } : { name: undefined, values: readValues(input) };
}

/** Reads `NAME=NUMBER`. */
export function readSets(sets: readonly string[] = []): Map<string, number> {
  return new Map(
    sets.map((each) => {
      const [, name, text] = each.match(/^(.+)=([^=]+)$/s) ?? [];
      const value = Number(text);
      if (name === undefined || !Number.isFinite(value))
        refuseCall(`--set expects NAME=NUMBER, got ${JSON.stringify(each)}`);
      return [name!, value];
    }),
  );
}
