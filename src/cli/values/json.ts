import { CliError, messageOf } from '../errors.ts';
import type { AnyValue } from '../model.ts';
import { product, safeJson } from '../text.ts';
import { shortest } from './csv.ts';

// Nested lists of numbers, { data, dims }, or an object of those by the names of inputs.

/** The most lists inside each other. */
const DEEPEST = 8;

/** Reads the inputs of a model; the only input without a name has the name ''. */
export function readJsonValues(text: string): Map<string, AnyValue> {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new CliError(`json: ${messageOf(error)}`);
  }
  if (Array.isArray(json) || typeof json === 'number' || isTensor(json))
    return new Map([['', readValue('the value', json)]]);
  if (json === null || typeof json !== 'object')
    throw new CliError('json: expected lists of numbers or an object of them by input');
  return new Map(Object.entries(json).map(([name, value]) => [name, readValue(JSON.stringify(name), value)]));
}

function isTensor(json: unknown): json is { data: unknown[]; dims: unknown[] } {
  const { data, dims } = Object(json) as { data?: unknown; dims?: unknown };
  return Array.isArray(data) && Array.isArray(dims);
}

function readValue(what: string, json: unknown): AnyValue {
  const dims: number[] = [];
  const numbers: number[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
      if (depth !== dims.length) throw new CliError(`json: ${what} has numbers beside lists`);
      // JSON has no NaN: null stands for it, as JSON.stringify writes it
      numbers.push(value === null ? Number.NaN : Number(value));
      return;
    }
    if (!Array.isArray(value))
      throw new CliError(`json: ${what} has ${JSON.stringify(value)?.slice(0, 40)} where a number or a list has to be`);
    if (depth >= DEEPEST) throw new CliError(`json: ${what} has lists more than ${DEEPEST} deep`);
    if (depth === dims.length && numbers.length === 0) dims.push(value.length);
    if (dims[depth] !== value.length)
      throw new CliError(`json: ${what} has lists of ${dims[depth] ?? 0} and of ${value.length}`);
    for (const each of value) visit(each, depth + 1);
  };
  if (isTensor(json)) {
    visit(json.data, 0);
    const own = json.dims.map(Number);
    if (!own.every(Number.isSafeInteger) || product(own) !== numbers.length) {
      throw new CliError(`json: ${what} has ${numbers.length} numbers for dims [${json.dims.join(', ')}]`);
    }
    return { data: Float32Array.from(numbers), dims: own };
  }
  visit(json, 0);
  return { data: Float32Array.from(numbers), dims };
}

/** Writes results as nested lists by name. */
export function writeJsonValues(values: Readonly<Record<string, AnyValue>>): string {
  const members = Object.entries(values).map(([name, value]) => `${safeJson(name)}:${nested(value)}`);
  return `{${members.join(',\n')}}\n`;
}

function nested({ data, dims }: AnyValue): string {
  const write = (axis: number, at: number, count: number): string => {
    if (axis === dims.length) {
      const value = data[at]!;
      return typeof value === 'number' && !Number.isFinite(value) ? 'null' : shortest(value);
    }
    const step = dims[axis] === 0 ? 0 : count / dims[axis]!;
    return `[${Array.from({ length: dims[axis]! }, (_, i) => write(axis + 1, at + i * step, step)).join(',')}]`;
  };
  return write(0, 0, product(dims));
}
