import { describe } from '../base/tensor.ts';
import type { Entries, Entry } from './state-dict.ts';

// Explains state dicts that people bring from elsewhere: what each is, and the next step.

/** The rows of weight_hh for each of its columns, and what has so many. */
const ROWS = new Map([
  [3, 'these are weights of a GRU, which is not supported'],
  [1, 'these are weights of an RNN, which is not supported'],
  [1 / 4, 'the matrices are transposed, as in Keras; transpose each, so that weight_hh is [4H, H]'],
]);

/** Ends of keys, in lines, and what they say. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)weight_hh$/m, 'these are keys of an LSTMCell: use LSTMCell'],
  [/(^|\.)weight_hh_l0$/m, 'these are keys of an LSTM: use LSTM'],
  [
    /(^|\.)weight\w*(_[gv]|\.original[01])$/m,
    'weight_norm is not folded; remove it in PyTorch, or compute weight = g v / |row of v| (g is original0, v original1)',
  ],
  [
    /(^|[./])kernel(:0)?$/m,
    "these are Keras's names: use lstm-wasm/keras, or transpose kernel to weight_ih_l0 and recurrent_kernel to weight_hh_l0",
  ],
];

/**
 * Says what a state dict is, with the next step.
 * @param name a key behind the prefix that every module of this kind has
 * @param missing whether a key is missing
 * @returns words to begin and to end a message with; empty if nothing is known
 */
export function explainStateDict(
  who: string,
  all: Entries,
  prefix: string,
  name: string,
  missing: boolean,
): readonly [begin: string, end: string] {
  if (all.size === 0) return ['the state dict is empty, as { ...map } is; pass the Map itself; ', ''];
  const [rows, columns] = Object(all.get(`${prefix}weight_hh_l0`) ?? all.get(`${prefix}weight_hh`)).dims ?? [];
  let begin = ROWS.get(rows / columns) ?? '';
  let end = '';
  if (!begin && missing) {
    const keys = [...all.keys()];
    const lines = keys.filter((key) => key.startsWith(prefix)).join('\n');
    if (/weight_hh_l\w+_raw$/m.test(lines)) begin = 'weight_hh_l0_raw of AWD-LSTM is weight_hh_l0: rename it';
    else if (!all.has(prefix + name)) end = foundPrefixes(who, keys, name);
    if (!begin && !end) {
      begin = NAMES.find(([ending, text]) => ending.test(lines) && !text.endsWith(` ${who}`))?.[1] ?? '';
    }
  }
  return [begin && `${begin}; `, end];
}

/** Names the prefixes of all keys that end in `name`. */
function foundPrefixes(who: string, keys: readonly string[], name: string): string {
  const prefixes = keys
    .filter((key) => `.${key}`.endsWith(`.${name}`))
    .map((key) => describe(key.slice(0, key.length - name.length)));
  if (prefixes.length === 0) return '';
  return `; ${who} weights were found at prefix ${prefixes.slice(0, 8).join(', ')}${prefixes.length > 8 ? ' ...' : ''}`;
}

/** Shows an entry that is no tensor, with the next step. */
export function explainEntry({ value, data, dims }: Entry): string {
  let step = '';
  if (Array.isArray(value)) step = '; flatten the rows: Float32Array.from(rows.flat())';
  else if (data && dims) step = '; use Float32Array.from(Object.values(data))';
  else if (data && (value as { shape?: unknown }).shape) step = '; rename shape to dims';
  return describe(value) + step;
}

/** Shows dims that do not fit, with the next step if they are no numbers. */
export function explainDims(dims: readonly unknown[]): string {
  return describe(dims) + (dims.every((size) => typeof size === 'number') ? '' : '; use dims.map(Number)');
}
