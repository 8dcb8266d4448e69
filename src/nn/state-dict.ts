import { ModelError } from '../base/errors.ts';
import {
  type AnyTensor,
  describe,
  formatDims,
  isView,
  product,
  type StateDict,
  sameDims,
  tag,
  wrongType,
} from '../base/tensor.ts';
import { copyIfInside, isInside } from '../memory/arena.ts';
import type { Int8Matrix, Values } from '../memory/pack.ts';
import type { ParameterSpec } from '../memory/parameters.ts';

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

/** Checks a state dict and a prefix, and gives the entries of the Map or object by their keys with the prefix. */
export function entries(who: string, stateDict: unknown, prefix: unknown): ReadonlyMap<string, unknown> {
  checkPrefix(who, prefix);
  if (tag(stateDict) === 'Map') return stateDict as ReadonlyMap<string, unknown>;
  // Object.entries() would take arrays and bytes too
  if (tag(stateDict) !== 'Object') throw wrongType(who, 'stateDict', 'a Map or an object of tensors', stateDict);
  return new Map(Object.entries(stateDict as object));
}

/**
 * Finds every parameter under `prefix` and checks that it is there and has the type, shape and length. Loads nothing.
 * @returns the values by parameter name, without those that are missing, and the keys that do not match
 * @throws ModelError that lists every wrong entry, with `strict` also missing and unexpected keys
 */
export function matchStateDict(
  who: string,
  specs: readonly ParameterSpec[],
  stateDict: StateDict,
  prefix: string,
  strict = true,
  int8 = true,
): LoadResult & { readonly values: Values } {
  const all = entries(who, stateDict, prefix);
  const values = new Map<string, Float32Array | Int8Matrix>();
  const missingKeys: string[] = [];
  const problems: Problem[] = [];
  const known = new Set<unknown>();
  /** Gives the data of a parameter if they fit `spec`; else notes the problem. */
  const find = (spec: ParameterSpec, int8 = false): AnyTensor['data'] | undefined => {
    const key = prefix + spec.name;
    known.add(key);
    if (!all.has(key)) {
      missingKeys.push(key);
      return undefined;
    }
    const found = all.get(key);
    const problem = wrongEntry(key, spec, found, int8);
    if (problem) problems.push(problem);
    return problem ? undefined : (found as AnyTensor).data;
  };
  for (const spec of specs) {
    const { name, dims } = spec;
    const { data: entry } = (all.get(prefix + name) ?? {}) as Partial<AnyTensor>;
    if (int8 && dims.length > 1 && isView(entry, Int8Array)) {
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
  const unexpectedKeys = [...all.keys()].filter(
    (key) => typeof key === 'string' && key.startsWith(prefix) && !known.has(key),
  );
  if (strict) {
    for (const path of missingKeys) problems.push({ code: 'missing-key', path, expected: path, found: undefined });
    for (const path of unexpectedKeys)
      problems.push({ code: 'unexpected-key', path, expected: undefined, found: path });
  }
  if (problems.length) {
    const first = specs[0]!.name;
    throw mismatch(who, problems, missingKeys.includes(prefix + first) ? foundPrefixes(who, all, first) : '');
  }
  return { missingKeys, unexpectedKeys, values };
}

function wrongEntry(path: string, spec: ParameterSpec, entry: unknown, int8: boolean): Problem | undefined {
  const problem = (code: string, expected: string, found: string): Problem => ({ code, path, expected, found });
  const { data, dims } = (entry ?? {}) as Partial<AnyTensor>;
  if (!ArrayBuffer.isView(data) || !Array.isArray(dims)) {
    return problem('not-a-tensor', 'a tensor { data, dims }', describe(entry));
  }
  if (!int8 && !/^Float(16|32|64)Array$/.test(tag(data))) {
    const { dtype } = entry as { dtype?: unknown };
    const found = typeof dtype === 'string' ? `dtype ${dtype}` : describe(data);
    return problem('not-float', 'floating-point numbers', found);
  }
  if (!sameDims(dims, spec.dims)) {
    return problem('wrong-shape', formatDims(spec.dims), formatDims(dims));
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

/** Floats that stay as they are when memory grows for the module. */
function asFloat32(data: AnyTensor['data']): Float32Array {
  return isView(data, Float32Array) ? copyIfInside(data) : Float32Array.from(data as Float64Array);
}

function mismatch(who: string, problems: readonly Problem[], hint: string): ModelError {
  const first = problems[0]!;
  const code = problems.every((problem) => problem.code === first.code) ? first.code : 'state-dict-mismatch';
  const shown = problems.slice(0, 50).map((problem) => {
    const detail = problem.code.endsWith('key') ? '' : ` expected ${problem.expected}, got ${problem.found}`;
    return `${problem.code.replace('-', ' ')} ${describe(problem.path)}${detail}`;
  });
  if (problems.length > 50) shown.push(`and ${problems.length - 50} more`);
  return new ModelError(`${who}: ${shown.join('; ')}${hint}`, { ...first, code });
}

/** Makes the error for a missing matrix, or one of a wrong shape, from which a module's sizes are read. */
export function wrongMatrix(
  who: string,
  all: ReadonlyMap<string, unknown>,
  prefix: string,
  name: string,
  expected: string,
  shape: string,
): ModelError {
  const path = prefix + name;
  const [code, found] = all.has(path) ? ['wrong-shape', shape] : ['missing-key', 'no such key'];
  return new ModelError(
    `${who}: ${describe(path)} expected ${expected}, got ${found}${foundPrefixes(who, all, name)}`,
    { code: code!, path, expected, found },
  );
}

/** Names the prefixes of all keys that end in `name`: a hint for a user who gave another prefix. */
function foundPrefixes(who: string, all: ReadonlyMap<string, unknown>, name: string): string {
  const prefixes = [...all.keys()]
    .filter((key) => typeof key === 'string' && `.${key}`.endsWith(`.${name}`))
    .map((key) => describe(key.slice(0, key.length - name.length)));
  if (prefixes.length === 0) return '';
  return `; ${who} weights were found at prefix ${prefixes.slice(0, 8).join(', ')}${prefixes.length > 8 ? ' ...' : ''}`;
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
  const dims: unknown = (all.get(`${prefix}weight`) as Partial<AnyTensor> | undefined)?.dims;
  const rank = shape.split(',').length;
  if (
    !Array.isArray(dims) ||
    !(shape[1] === '.' ? dims.length : dims.length === rank) ||
    !dims.every((size) => Number.isSafeInteger(size) && size >= least)
  ) {
    throw wrongMatrix(who, all, prefix, 'weight', shape, describe(dims));
  }
  const bias = biasDims > 0 && all.has(`${prefix}bias`);
  const specs = [{ name: 'weight', dims }, ...(bias ? [{ name: 'bias', dims: dims.slice(0, biasDims) }] : [])];
  return { dims, bias, [VALUES]: matchStateDict(who, specs, stateDict, prefix).values };
}
