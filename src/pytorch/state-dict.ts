import { describe } from '../base/tensor.ts';
import { adviceFor } from './globals.ts';
import { refuse } from './refuse.ts';
import { Dict, describeValue, Foreign, StoredTensor } from './values.ts';

/** The number of keys that a message shows. */
const SHOWN = 12;

/** Levels of dicts in which a message looks for a state dict. */
const LEVELS = 4;

/**
 * Finds the state dict of a checkpoint: the value of the pickle, or what is at the path `keys` in it.
 * @param foreign the first thing in the pickle that is not loaded, which is an error unless `keys` say that it is not wanted
 * @throws ModelError if that is no dict of tensors; the message names the keys that hold one
 */
export function findStateDict(
  root: unknown,
  keys: readonly string[],
  foreign: Foreign | undefined,
): ReadonlyMap<string, StoredTensor> {
  let dict = checkDict(root, 'data.pkl');
  for (const [i, key] of keys.entries()) dict = checkDict(itemAt(dict, key, keys.slice(0, i)), pathOf(keys, i));
  const odd = oddItem(dict);
  if (odd && keys.length === 0) refuseNested(dict);
  if (keys.length === 0 && foreign) refuseForeign(foreign);
  if (odd) refuseItem(keys.length ? `${pathOf(keys)}.` : '', odd);
  return dict.items as ReadonlyMap<string, StoredTensor>;
}

const HELP = 'Save the weights alone: torch.save(model.state_dict(), path)';

/** Refuses what is not loaded. */
export function refuseForeign({ code, found, where }: Foreign, what?: string): never {
  const at = what === undefined ? '' : `${describe(what)} is made of `;
  if (code === 'unsupported-call') {
    refuse.because(
      code,
      'data.pkl',
      `${at || 'the pickle has '}${found} (${where})`,
      'the pickle of a state dict',
      found,
    );
  }
  const reason = `${at}${describe(found)}${at && ', which'} is not loaded (${where}). ${adviceFor(found)}`;
  refuse.because(code, found, reason, 'a global of a state dict', found);
}

function checkDict(value: unknown, path: string): Dict {
  if (value instanceof Dict) return value;
  if (value instanceof Foreign) refuseForeign(value);
  const [what, help] = path === 'data.pkl' ? [path, `. ${HELP}`] : [describe(path), ''];
  refuse('not-a-state-dict', path, what, 'a dict', describeValue(value), help);
}

const pathOf = (keys: readonly string[], last = keys.length - 1) => keys.slice(0, last + 1).join('.');

function itemAt(dict: Dict, key: string, above: readonly string[]): unknown {
  if (dict.items.has(key)) return dict.items.get(key);
  const where = above.length ? describe(pathOf(above)) : 'the checkpoint';
  const reason = `no key ${describe(key)} in ${where}, which has ${listKeys(dict)}`;
  refuse.because('missing-key', key, reason, key, undefined);
}

/** Refuses a dict in which dicts are state dicts, and names their keys; returns if there is none. */
function refuseNested(root: Dict): void {
  const found: string[][] = [];
  const seen = new Set<Dict>([root]);
  let level: [Dict, string[]][] = [[root, []]];
  for (let depth = 0; depth < LEVELS && found.length === 0; depth++) {
    const next: typeof level = [];
    for (const [dict, path] of level) {
      for (const [key, value] of dict.items) {
        if (typeof key !== 'string' || !(value instanceof Dict) || seen.has(value)) continue;
        seen.add(value);
        const isState = value.items.size > 0 && !oddItem(value);
        if (isState && found.length < SHOWN) found.push([...path, key]);
        else if (!isState) next.push([value, [...path, key]]);
      }
    }
    level = next;
  }
  if (found.length === 0) return;
  const [first] = found as [string[]];
  const show = (path: readonly string[]) =>
    path.length === 1 ? describe(path[0]) : `[${path.map(describe).join(', ')}]`;
  const reason = `a state dict is at key ${found.map(show).join(' or ')} of the checkpoint, which has the keys ${listKeys(root)}`;
  const help = `pass the one you want, such as { key: ${show(first)} }`;
  const expected = found.map((path) => (path.length === 1 ? path[0] : path));
  refuse.because('key-needed', pathOf(first), `${reason}: ${help}`, expected, undefined);
}

/** Finds the first item that is no tensor with a string as its key; undefined if there is none. */
function oddItem({ items }: Dict): [key: unknown, value: unknown] | undefined {
  for (const item of items) {
    if (typeof item[0] !== 'string' || !(item[1] instanceof StoredTensor)) return item;
  }
  return undefined;
}

function refuseItem(prefix: string, [key, value]: [key: unknown, value: unknown]): never {
  const path = typeof key === 'string' ? prefix + key : prefix + describeValue(key);
  if (typeof key === 'string' && value instanceof Foreign) refuseForeign(value, path);
  const expected = typeof key === 'string' ? 'a tensor' : 'a string as its key';
  const found = typeof key === 'string' ? describeValue(value) : describeValue(key);
  refuse('not-a-state-dict', path, describe(path), expected, found, `: this is no state dict. ${HELP}`);
}

/** Lists the keys of a dict for a message. */
function listKeys({ items }: Dict): string {
  const keys = [...items.keys()].slice(0, SHOWN).map(describeValue);
  if (items.size > SHOWN) keys.push(`and ${items.size - SHOWN} more`);
  return keys.join(', ') || 'none';
}
