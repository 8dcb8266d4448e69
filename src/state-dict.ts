import { ModelError } from './errors.ts';
import type { ParameterSpec } from './parameters.ts';
import { type AnyTensor, describe, formatDims, type StateDict, tag, wrongType } from './tensor.ts';

export interface LoadResult {
  readonly missingKeys: string[];
  readonly unexpectedKeys: string[];
}

interface Problem {
  readonly code: string;
  readonly path: string;
  readonly expected: unknown;
  readonly found: unknown;
  readonly text: string;
}

/** The entries of a state dict, Map or plain object, by their whole keys. */
export function entries(who: string, stateDict: unknown): ReadonlyMap<string, unknown> {
  if (stateDict === null || typeof stateDict !== 'object') {
    throw wrongType(who, 'stateDict', 'a Map or an object of tensors', stateDict);
  }
  if (tag(stateDict) === 'Map') return stateDict as ReadonlyMap<string, unknown>;
  if (ArrayBuffer.isView(stateDict) || Array.isArray(stateDict) || tag(stateDict) === 'ArrayBuffer') {
    throw wrongType(who, 'stateDict', 'a Map or an object of tensors', stateDict);
  }
  return new Map(Object.entries(stateDict));
}

/**
 * Finds every parameter under `prefix` and checks it: presence, type, shape, length. Nothing is loaded yet.
 * @returns the values by parameter name (a missing one is absent), and the keys that do not match
 * @throws ModelError that lists all that is wrong; with `strict` also missing and unexpected keys
 */
export function matchStateDict(
  who: string,
  specs: readonly ParameterSpec[],
  stateDict: StateDict,
  prefix: string,
  strict: boolean,
): LoadResult & { readonly values: ReadonlyMap<string, Float32Array> } {
  if (typeof prefix !== 'string') throw wrongType(who, 'prefix', 'a string', prefix);
  const all = entries(who, stateDict);
  const values = new Map<string, Float32Array>();
  const missingKeys: string[] = [];
  const problems: Problem[] = [];
  for (const spec of specs) {
    const key = prefix + spec.name;
    if (!all.has(key)) {
      missingKeys.push(key);
      continue;
    }
    const found = all.get(key);
    const problem = wrongEntry(key, spec, found);
    if (problem) problems.push(problem);
    else values.set(spec.name, asFloat32((found as AnyTensor).data));
  }
  const known = new Set(specs.map((spec) => prefix + spec.name));
  const unexpectedKeys = [...all.keys()].filter((key) => key.startsWith(prefix) && !known.has(key));
  if (strict) {
    for (const spec of specs) {
      const path = prefix + spec.name;
      if (!missingKeys.includes(path)) continue;
      const expected = formatDims(spec.dims);
      problems.push({
        code: 'missing-key',
        path,
        expected,
        found: undefined,
        text: `missing ${quote(path)} ${expected}`,
      });
    }
    for (const path of unexpectedKeys) {
      problems.push({
        code: 'unexpected-key',
        path,
        expected: undefined,
        found: path,
        text: `unexpected ${quote(path)}`,
      });
    }
  }
  if (problems.length) throw mismatch(who, problems, prefixHint(who, specs, all, prefix, missingKeys));
  return { missingKeys, unexpectedKeys, values };
}

function wrongEntry(path: string, spec: ParameterSpec, entry: unknown): Problem | undefined {
  const problem = (code: string, expected: string, found: string): Problem => ({
    code,
    path,
    expected,
    found,
    text: `${quote(path)} expected ${expected}, got ${found}`,
  });
  const { data, dims } = (entry ?? {}) as Partial<AnyTensor>;
  if (!ArrayBuffer.isView(data) || !Array.isArray(dims)) {
    return problem('not-a-tensor', 'a tensor { data, dims }', describe(entry));
  }
  if (!['Float32Array', 'Float64Array', 'Float16Array'].includes(tag(data))) {
    const { dtype } = entry as { dtype?: unknown };
    return problem(
      'not-float',
      'floating-point numbers',
      typeof dtype === 'string' ? `dtype ${dtype}` : `a ${tag(data)}`,
    );
  }
  if (dims.length !== spec.dims.length || dims.some((size, i) => size !== spec.dims[i])) {
    return problem('wrong-shape', formatDims(spec.dims), formatDims(dims));
  }
  const count = spec.dims.reduce((product, size) => product * size, 1);
  if (data.length !== count) return problem('wrong-length', `${count} elements`, `${data.length}`);
  return undefined;
}

function asFloat32(data: AnyTensor['data']): Float32Array {
  return tag(data) === 'Float32Array' ? (data as Float32Array) : Float32Array.from(data as Float64Array);
}

function mismatch(who: string, problems: readonly Problem[], hint: string): ModelError {
  const first = problems[0]!;
  const shown = problems.slice(0, 40).map((problem) => problem.text);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  const code = problems.every((problem) => problem.code === first.code) ? first.code : 'state-dict-mismatch';
  return new ModelError(`${who}: state dict does not fit: ${shown.join('; ')}${hint}`, { ...first, code });
}

/** Names the prefixes under which the first parameter is there, when it is not where it was looked for. */
function prefixHint(
  who: string,
  specs: readonly ParameterSpec[],
  all: ReadonlyMap<string, unknown>,
  prefix: string,
  missing: readonly string[],
): string {
  const first = specs[0]?.name;
  if (first === undefined || !missing.includes(prefix + first)) return '';
  return describePrefixes(who, findPrefixes(all, first));
}

/** The prefixes of all keys that end in `name`, each ending in a dot or empty. */
export function findPrefixes(all: ReadonlyMap<string, unknown>, name: string): string[] {
  return [...all.keys()]
    .filter((key) => key === name || key.endsWith(`.${name}`))
    .map((key) => key.slice(0, key.length - name.length));
}

export function describePrefixes(who: string, prefixes: readonly string[]): string {
  if (prefixes.length === 0) return '';
  const more = prefixes.length > 8 ? ` and ${prefixes.length - 8} more` : '';
  return `; ${who} weights were found at prefix ${prefixes.slice(0, 8).map(quote).join(', ')}${more}`;
}

/** A key as a message shows it: shortened in the middle, control characters escaped. */
export function quote(key: string): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 80)}…${key.slice(-30)}` : key);
}
