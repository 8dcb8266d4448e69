import { ModelError } from '../base/errors.ts';
import {
  type AnyTensor,
  describe,
  formatDims,
  isView,
  product,
  type StateDict,
  sameDims,
  TENSOR,
  tag,
  wrongType,
} from '../base/tensor.ts';
import { copyIfInside, isInside } from '../memory/arena.ts';
import type { Int8Matrix, Values } from '../memory/pack.ts';
import type { ParameterSpec } from '../memory/parameters.ts';
import { type Entries, type Entry, explainDims, explainEntry, explainStateDict } from './foreign-state-dict.ts';

/** Internal option of constructors: values to start from, by parameter name, in place of random ones. */
export const VALUES = Symbol();

/** The keys in which a state dict and a module differ; both lists are empty if loading was strict. */
export interface LoadResult {
  /** Keys, with the prefix, of parameters that the state dict lacks; these keep their values. */
  readonly missingKeys: string[];
  /** Keys under the prefix to which no parameter belongs. */
  readonly unexpectedKeys: string[];
}

/** The suffix of the key that holds the scales of a matrix of 8-bit weights. */
export const SCALE = '_scale';

interface Problem {
  readonly code: string;
  readonly path: string;
  readonly expected: unknown;
  readonly found: unknown;
}

export function checkPrefix(who: string, prefix: unknown): void {
  if (typeof prefix !== 'string') throw wrongType(who, 'prefix', 'a string', prefix);
}

/** Checks a state dict, a Map or an object, and a prefix; reads the entries under the prefix and the keys of all others. */
export function entries(who: string, stateDict: unknown, prefix: unknown): Entries {
  checkPrefix(who, prefix);
  const isMap = tag(stateDict) === 'Map';
  // Object.entries() would take arrays and bytes too
  if (!isMap && tag(stateDict) !== 'Object')
    throw wrongType(who, 'stateDict', 'a Map or an object of tensors', stateDict);
  const all = new Map<string, Entry>();
  for (const [key, value] of isMap ? (stateDict as Map<unknown, unknown>) : Object.entries(stateDict as object)) {
    if (typeof key !== 'string') continue;
    const { data, dims } = Object(key.startsWith(prefix as string) ? value : undefined);
    all.set(key, { value, data, dims: Array.isArray(dims) ? [...dims] : dims });
  }
  return all;
}

/**
 * Finds every parameter under `prefix` and checks that it is there and has the type, shape and length. Loads nothing.
 * @returns the values by parameter name, without those that are missing, and the keys that do not match
 * @throws ModelError that lists every wrong entry, with `strict` also missing and unexpected keys
 */
export function matchStateDict(
  who: string,
  specs: readonly ParameterSpec[],
  all: Entries,
  prefix: string,
  strict = true,
  int8 = true,
): LoadResult & { readonly values: Values } {
  const values = new Map<string, Float32Array | Int8Matrix>();
  const missingKeys: string[] = [];
  const problems: Problem[] = [];
  const known = new Set<string>();
  /** Gives the data of a parameter if they fit `spec`; else notes the problem. */
  const find = (spec: ParameterSpec, int8 = false): AnyTensor['data'] | undefined => {
    const key = prefix + spec.name;
    known.add(key);
    const found = all.get(key);
    if (!found) {
      missingKeys.push(key);
      return undefined;
    }
    const problem = wrongEntry(key, spec, found, int8);
    if (problem) problems.push(problem);
    return problem ? undefined : (found.data as AnyTensor['data']);
  };
  for (const spec of specs) {
    const { name, dims } = spec;
    if (int8 && dims.length > 1 && isView(all.get(prefix + name)?.data, Int8Array)) {
      const data = find(spec, true);
      const scale = find({ name: name + SCALE, dims: dims.slice(0, 1) });
      if (data && scale)
        values.set(name, {
          data: isInside(data) ? (data as Int8Array).slice() : (data as Int8Array),
          scale: asFloat32(scale),
        });
    } else {
      const data = find(spec);
      if (data) values.set(name, asFloat32(data));
    }
  }
  const unexpectedKeys = [...all.keys()].filter((key) => key.startsWith(prefix) && !known.has(key));
  if (strict) {
    for (const path of missingKeys) problems.push({ code: 'missing-key', path, expected: path, found: undefined });
    for (const path of unexpectedKeys)
      problems.push({ code: 'unexpected-key', path, expected: undefined, found: path });
  }
  if (problems.length) throw mismatch(who, all, prefix, specs[0]!.name, problems);
  return { missingKeys, unexpectedKeys, values };
}

function wrongEntry(path: string, spec: ParameterSpec, entry: Entry, int8: boolean): Problem | undefined {
  const problem = (code: string, expected: string, found: string): Problem => ({ code, path, expected, found });
  if (!isTensor(entry)) return problem('not-a-tensor', TENSOR, explainEntry(entry));
  const { data, dims, value } = entry;
  if (!int8 && !/^Float(16|32|64)Array$/.test(tag(data))) {
    const { dtype } = value as { dtype?: unknown };
    const found = typeof dtype === 'string' ? `dtype ${dtype}` : describe(data);
    return problem('not-float', 'floating-point numbers', found);
  }
  if (!sameDims(dims, spec.dims)) {
    return problem('wrong-shape', formatDims(spec.dims), explainDims(dims));
  }
  const count = product(spec.dims);
  if (data.length !== count) return problem('wrong-length', `${count} elements`, `${data.length}`);
  if (int8 && (data as Int8Array).includes(-128)) {
    return problem('out-of-range', '8-bit weights from -127 to 127', '-128');
  }
  if (path.endsWith(SCALE)) {
    const wrong = (data as Float32Array).find((value) => !Number.isFinite(Math.fround(value)));
    if (wrong !== undefined) return problem('not-finite', 'finite scales', `${wrong}`);
  }
  return undefined;
}

function isTensor(entry: Entry): entry is Entry & AnyTensor {
  const { data, dims } = entry;
  return ArrayBuffer.isView(data) && Array.isArray(dims);
}

/** Floats that stay as they are when memory grows for the module. */
function asFloat32(data: AnyTensor['data']): Float32Array {
  return isView(data, Float32Array) ? copyIfInside(data) : Float32Array.from(data as Float64Array);
}

function mismatch(who: string, all: Entries, prefix: string, name: string, problems: readonly Problem[]): ModelError {
  const first = problems[0]!;
  const code = problems.every((problem) => problem.code === first.code) ? first.code : 'state-dict-mismatch';
  const shown = problems.slice(0, 50).map((problem) => {
    const detail = problem.code.endsWith('key') ? '' : ` expected ${problem.expected}, got ${problem.found}`;
    return `${problem.code.replaceAll('-', ' ')} ${describe(problem.path)}${detail}`;
  });
  if (problems.length > 50) shown.push(`and ${problems.length - 50} more`);
  const text = explainStateDict(
    who,
    all,
    prefix,
    name,
    problems.some((problem) => problem.code === 'missing-key'),
  );
  return new ModelError(`${who}: ${text}${shown.join('; ')}`, { ...first, code });
}

/**
 * Gives the dims of a matrix, from which a module's sizes are read, if they are safe integers that `fits` takes.
 * @throws ModelError that says what is there in its place
 */
export function dimsOf(
  who: string,
  all: Entries,
  prefix: string,
  name: string,
  expected: string,
  fits: (dims: readonly number[]) => boolean,
): readonly number[] {
  const path = prefix + name;
  const entry = all.get(path);
  let problem: Problem = { code: 'missing-key', path, expected, found: 'no such key' };
  if (entry) {
    const { dims } = entry;
    if (Array.isArray(dims) && dims.every(Number.isSafeInteger) && fits(dims)) return dims;
    problem = isTensor(entry)
      ? { code: 'wrong-shape', path, expected, found: explainDims(entry.dims) }
      : { code: 'not-a-tensor', path, expected: TENSOR, found: explainEntry(entry) };
  }
  throw mismatch(who, all, prefix, name, [problem]);
}

/**
 * Reads the `weight`, and the `bias` if there is one, of the layer that a state dict describes.
 * @param shape the dims of the weight, as messages have them; any where it begins with dots
 * @param least the smallest size of a dimension
 * @param biasDims the leading dimensions that the bias has
 */
export function readLayer(
  who: string,
  stateDict: StateDict,
  prefix = '',
  shape: string,
  least: number,
  biasDims: number,
): { dims: readonly number[]; bias: boolean; [VALUES]: Values } {
  const all = entries(who, stateDict, prefix);
  const rank = shape.split(',').length;
  const isRank = (length: number) => (shape[1] === '.' ? length > 0 : length === rank);
  const fits = (dims: readonly number[]) => isRank(dims.length) && dims.every((size) => size >= least);
  const dims = dimsOf(who, all, prefix, 'weight', shape, fits);
  const bias = biasDims > 0 && all.has(`${prefix}bias`);
  const specs = [{ name: 'weight', dims }, ...(bias ? [{ name: 'bias', dims: dims.slice(0, biasDims) }] : [])];
  return { dims, bias, [VALUES]: matchStateDict(who, specs, all, prefix).values };
}
