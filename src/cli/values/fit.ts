import { CliError, refuseCall } from '../errors.ts';
import type { AnyValue, Port } from '../model.ts';
import { formatDims, product } from '../text.ts';
import type { Values } from './parse.ts';

// Which values are for which input of a model, and with which dims and type.

/** @param sets numbers that fill the inputs of these names */
export function fitFeeds(
  ports: readonly Port[],
  given: readonly { readonly name: string | undefined; readonly values: Values }[],
  sets: ReadonlyMap<string, number>,
): Map<string, AnyValue> {
  const feeds = new Map<string, AnyValue>();
  const find = (name: string): Port => {
    const port = ports.find((each) => each.name === name);
    return port ?? refuseCall(`the model has no input ${JSON.stringify(name)}: ${describePorts(ports)}`);
  };
  const nameless: AnyValue[] = [];
  for (const { name, values } of given) {
    for (const [own, value] of values.values) {
      const wanted = name ?? own;
      if (wanted === '') nameless.push(value);
      else feeds.set(wanted, fitValue(find(wanted), value));
    }
  }
  for (const [name, value] of sets) feeds.set(name, fill(find(name), value));
  for (const value of nameless) {
    const free = ports.filter((port) => !feeds.has(port.name));
    const port = free.find(({ type }) => type === 'float32') ?? free[0];
    if (!port) throw new CliError(`the input fits nowhere: ${describePorts(ports)}`);
    feeds.set(port.name, fitValue(port, value));
  }
  const missing = ports.filter(({ name }) => !feeds.has(name));
  if (missing.length > 0) {
    throw new CliError(
      `${describePorts(missing)} not given: --input NAME=FILE reads it, --set NAME=0 fills it with a number`,
    );
  }
  return feeds;
}

function describePorts(ports: readonly Port[]): string {
  const list = ports.map(({ name, type, dims }) => `${JSON.stringify(name)} ${type} ${formatDims(dims)}`);
  return `${ports.length === 1 ? 'the input' : 'the inputs'} ${list.slice(0, 6).join(', ')}${list.length > 6 ? ', …' : ''}`;
}

function fill({ type, dims }: Port, value: number): AnyValue {
  const sizes = (dims ?? []).map((size) => (typeof size === 'number' ? size : 1));
  return { data: convert(type, new Float32Array(product(sizes)).fill(value), JSON.stringify(value)), dims: sizes };
}

function fitValue(port: Port, { data, dims }: AnyValue): AnyValue {
  return { data: convert(port.type, data, JSON.stringify(port.name)), dims: fitDims(port, dims) };
}

function convert(type: string, data: AnyValue['data'], what: string): AnyValue['data'] {
  if (type === 'int64') {
    return data instanceof BigInt64Array
      ? data
      : BigInt64Array.from(data as Float32Array, (x) => BigInt(integer(x, what)));
  }
  if (type === 'int32')
    return Int32Array.from(data as Float32Array, (x) => integer(Number(x), what, -(2 ** 31), 2 ** 31 - 1));
  if (type === 'int8') return Int8Array.from(data as Float32Array, (x) => integer(Number(x), what, -128, 127));
  if (type === 'uint8') return Uint8Array.from(data as Float32Array, (x) => integer(Number(x), what, 0, 255));
  if (type === 'bool') return Uint8Array.from(data as Float32Array, (x) => Number(Number(x) !== 0));
  return data instanceof Float32Array ? data : Float32Array.from(data as Int32Array, Number);
}

function integer(value: number, what: string, low = -(2 ** 53), high = 2 ** 53): number {
  if (!Number.isInteger(value)) throw new CliError(`input ${what}: expected integers, got ${value}`);
  if (value < low || value > high) throw new CliError(`input ${what}: expected ${low} to ${high}, got ${value}`);
  return value;
}

/** Axes of samples by the names that exporters give them. */
const BATCH = /batch|^[bn]$/i;

/** Adds the axis of samples that the input declares and the values lack. */
export function fitDims(
  { name, dims: declared, sampleAxis, isFree }: Port,
  dims: readonly number[],
): readonly number[] {
  if (isFree || !declared || declared.length === dims.length) return dims;
  const refuse = (why: string): never => {
    throw new CliError(
      `input ${JSON.stringify(name)}: expected ${formatDims(declared)}, got ${formatDims(dims)}${why}`,
    );
  };
  if (declared.length < dims.length) {
    // a scalar, or a column of a csv
    const kept = dims.filter((size) => size !== 1);
    return kept.length <= declared.length && product(dims) === 1
      ? declared.map(() => 1)
      : kept.length === declared.length
        ? kept
        : refuse('');
  }
  if (declared.length > dims.length + 1) return refuse('; give a .npy or .json with all its axes');
  const candidates = declared
    .map((_, axis) => [...dims.slice(0, axis), 1, ...dims.slice(axis)])
    .map((sizes, axis) => ({ sizes, axis }))
    .filter(({ sizes }) => declared.every((size, i) => typeof size !== 'number' || size === sizes[i]))
    // the last axis is of features
    .filter(({ axis }) => axis < declared.length - 1 || declared.length === 1 || dims.length === 1);
  const named = candidates.find(({ axis }) => axis === sampleAxis || BATCH.test(String(declared[axis])));
  const row = dims.length === 1 ? candidates[0] : undefined;
  const found = named ?? (candidates.length === 1 ? candidates[0] : row);
  if (found) return found.sizes;
  return refuse(
    candidates.length > 1
      ? '; the file does not say which axis is of samples, so give a .npy or .json with all axes'
      : '',
  );
}
