import { describe } from '../base/tensor.ts';

// Explains state dicts that people bring from elsewhere: what each is, and the next step.

/** An entry as it was when it was read, once: getters and arrays of the caller's may change. */
export interface Entry {
  readonly value: unknown;
  readonly data: unknown;
  readonly dims: unknown;
}

/** Entries by their keys with the prefix. */
export type Entries = ReadonlyMap<string, Entry>;

/** Rows of weight_hh for each of its columns, and what has so many. */
const ROWS: Readonly<Record<number, string>> = {
  3: 'weights of a GRU, which is not supported',
  1: 'weights of an RNN, which is not supported',
  0.25: 'matrices are transposed, as in Keras; transpose them to [4H, *]',
};

/** Ends of keys, in lines, and what they say. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/\bweight_hh$/m, 'keys of an LSTMCell: use LSTMCell'],
  [/\bweight_hh_l0$/m, 'keys of an LSTM: use LSTM'],
  [
    /\bweight\w*(_[gv]|\.original[01])$/m,
    'weight_norm: remove it in PyTorch, or compute weight = g v / |row of v| (g is original0, v original1)',
  ],
  [
    /\bkernel(:0)?$/m,
    'keys of Keras: use loadKeras, or transpose kernel to weight_ih_l0 and recurrent_kernel to weight_hh_l0',
  ],
];

/**
 * Says what a state dict is, with the next step; '' if that is not known.
 * @param name a key behind the prefix that every module of this kind has
 * @param missing whether a key is missing
 */
export function explainStateDict(who: string, all: Entries, prefix: string, name: string, missing: boolean): string {
  const keys = [...all.keys()];
  if (!keys.length) return 'the state dict is empty, as { ...map } is; pass the Map itself; ';
  const dims = (all.get(`${prefix}weight_hh_l0`) ?? all.get(`${prefix}weight_hh`))?.dims as number[] | undefined;
  let text = dims && ROWS[dims[0]! / dims[1]!];
  if (!text && missing) {
    const lines = keys.filter((key) => key.startsWith(prefix)).join('\n');
    const places = keys.filter((key) => `.${key}`.endsWith(`.${name}`));
    if (/_raw$/m.test(lines)) text = 'weight_hh_l0_raw of AWD-LSTM is weight_hh_l0: rename it';
    else if (places.length && !all.has(prefix + name)) {
      text = `weights were found at prefix ${places
        .slice(0, 8)
        .map((key) => describe(key.slice(0, -name.length)))
        .join(', ')}`;
    } else text = NAMES.find(([ending, words]) => ending.test(lines) && !words.endsWith(` ${who}`))?.[1];
  }
  return text ? `${text}; ` : '';
}

/** Shows an entry that is no tensor, with the next step. */
export function explainEntry({ value, data, dims }: Entry): string {
  let step = '';
  if (Array.isArray(value)) step = '; use Float32Array.from(rows.flat())';
  else if (data && dims) step = '; use Float32Array.from(Object.values(data))';
  else if (data && 'shape' in (value as object)) step = '; rename shape to dims';
  return describe(value) + step;
}

/** Shows dims that do not fit, with the next step if they are no numbers. */
export function explainDims(dims: readonly unknown[]): string {
  return describe(dims) + (dims.every(Number.isFinite) ? '' : '; use dims.map(Number)');
}
