import { describe } from '../base/tensor.ts';
import { classOf } from '../memory/cell-kind.ts';

// Explains state dicts that people bring from elsewhere: what each is, and the next step.

/** An entry as it was when it was read, once: getters and arrays of the caller's may change. */
export interface Entry {
  readonly value: unknown;
  readonly data: unknown;
  readonly dims: unknown;
}

/** Entries by their keys with the prefix. */
export type Entries = ReadonlyMap<string, Entry>;

/** Ends of keys, in lines, and what they say. */
const NAMES: readonly (readonly [RegExp, string])[] = [
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
  const at = (end: string) =>
    explainMatrix(
      who,
      all,
      keys.find((key) => key === prefix + end),
    );
  let text = at('weight_hh_l0') ?? at('weight_hh');
  if (!text && missing) {
    const own = keys.filter((key) => key.startsWith(prefix));
    const lines = own.join('\n');
    const places = keys.filter((key) => `.${key}`.endsWith(`.${name}`));
    if (/_raw$/m.test(lines)) text = 'weight_hh_l0_raw of AWD-LSTM is weight_hh_l0: rename it';
    else if (places.length && !all.has(prefix + name)) {
      text = `weights were found at prefix ${places
        .slice(0, 8)
        .map((key) => describe(key.slice(0, -name.length)))
        .join(', ')}`;
    } else {
      text =
        explainMatrix(
          who,
          all,
          own.find((key) => /\bweight_hh(_l0)?$/.test(key)),
        ) ?? NAMES.find(([ending]) => ending.test(lines))?.[1];
    }
  }
  return text ? `${text}; ` : '';
}

/** Says to which class of another name than `who` the matrix weight_hh under `key` belongs, or that it is transposed. */
function explainMatrix(who: string, all: Entries, key: string | undefined): string | undefined {
  const dims = key === undefined ? undefined : all.get(key)!.dims;
  if (!Array.isArray(dims) || !dims.every(Number.isFinite)) return undefined;
  const [rows, columns] = dims as [number, number];
  // W_hh of a projected LSTM has P columns; W_hr [P, H] tells H
  const projection = all.get(key!.replace('weight_hh', 'weight_hr'))?.dims;
  const units = Array.isArray(projection) && Number.isFinite(projection[1]) ? projection[1] : columns;
  const found = classOf(rows / units, key!.endsWith('h'));
  if (found)
    return found === who
      ? undefined
      : `keys of ${found}: use ${found}${found.startsWith('L') ? '' : ' of lstm-wasm/gru'}`;
  const gates = columns / rows;
  if (classOf(gates, false)) return `matrices are transposed, as in Keras; transpose them to [${gates}H, *]`;
  return undefined;
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
