import { describe, tag, wrongType } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { bytesOf } from '../files/bytes.ts';
import { parseJson } from '../files/json-value.ts';
import { encodeUtf8 } from '../files/utf8.ts';
import { refuse, WHO } from './refuse.ts';

/** The index of a model in several files: JSON as bytes, as text, or parsed. */
export type IndexLike = Uint8Array | ArrayBuffer | string | { readonly weight_map: Readonly<Record<string, string>> };

/**
 * Reads an index: `{"metadata": {"total_size": ...}, "weight_map": {"tensor": "file", ...}}`, of which only the map says anything.
 * @returns the names of files by those of tensors
 * @throws ModelError or TypeError
 */
export function readIndex(who: string, index: unknown): ReadonlyMap<string, string> {
  const map = member(who, isObject(index) ? index : parse(who, index));
  const names = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string') {
      refuse('invalid-index', name, `${describe(name)} in weight_map`, 'the name of a file', describe(file));
    }
    names.set(name, file);
  }
  return names;
}

function parse(who: string, index: unknown): unknown {
  const isBytes = ArrayBuffer.isView(index) ? tag(index) === 'Uint8Array' : tag(index) === 'ArrayBuffer';
  const given = isBytes ? bytesOf(index as Uint8Array | ArrayBuffer) : undefined;
  const bytes = typeof index === 'string' ? encodeUtf8(index) : given;
  if (!bytes) throw wrongType(who, 'index', 'JSON as bytes, as text or as an object', index);
  return parseJson(WHO, bytes, new Budget(WHO, bytes.length));
}

function member(who: string, index: unknown): object {
  const map = isObject(index) ? (index as { weight_map?: unknown }).weight_map : undefined;
  if (isObject(map)) return map;
  const note = `: ${who} takes the file that is named .safetensors.index.json`;
  refuse(
    'invalid-index',
    'weight_map',
    'the index',
    'an object "weight_map"',
    map === undefined ? 'none' : describe(map),
    note,
  );
}

function isObject(value: unknown): value is object {
  return tag(value) === 'Object';
}

/**
 * Reads the files that an index names, and gives their tensors in its order.
 * @param names the names of files by those of tensors
 * @param parse reads a file
 * @throws ModelError if a file is missing, or has other tensors than the index says
 */
export function mergeShards<Source, Tensor>(
  who: string,
  names: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, Source> | Readonly<Record<string, Source>>,
  parse: (file: Source) => Map<string, Tensor>,
): Map<string, Tensor> {
  if (tag(files) !== 'Map' && !isObject(files)) throw wrongType(who, 'files', 'a Map or an object of files', files);
  const given = new Map<string, Source>(tag(files) === 'Map' ? (files as Map<string, Source>) : Object.entries(files));
  const wanted = new Set(names.values());
  for (const file of wanted) {
    if (given.has(file)) continue;
    const missing = [...wanted].filter((name) => !given.has(name));
    const others =
      missing.length > 1 ? ` and ${missing.length - 1} more of the ${wanted.size} that the index names` : '';
    refuse.because('missing-file', file, `the file ${describe(file)} is missing${others}`, file, undefined);
  }
  const found = new Map<string, Tensor>();
  for (const file of wanted) {
    for (const [name, tensor] of parse(given.get(file)!)) {
      if (names.get(name) !== file) {
        const place = names.has(name) ? `puts it into ${describe(names.get(name))}` : 'does not name it';
        const reason = `${describe(file)} has the tensor ${describe(name)}, but the index ${place}`;
        refuse.because('unexpected-key', name, reason, names.get(name), file);
      }
      found.set(name, tensor);
    }
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, file] of names) {
    const tensor = found.get(name);
    if (!tensor) {
      const reason = `${describe(file)} has no tensor ${describe(name)}, which the index puts there`;
      refuse.because('missing-key', name, reason, file, undefined);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
