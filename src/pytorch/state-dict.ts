import { describe } from '../base/tensor.ts';
import { refuse } from './refuse.ts';
import { Dict, describeValue, StoredTensor } from './values.ts';

/** The number of keys that a message shows. */
const SHOWN = 12;

/**
 * Finds the state dict of a checkpoint: the value of the pickle, or its item `key`.
 * @throws ModelError if that is no dict of tensors; the message names the keys that hold one
 */
export function findStateDict(root: unknown, key: string | undefined): ReadonlyMap<string, StoredTensor> {
  if (!(root instanceof Dict)) {
    refuse('not-a-state-dict', 'data.pkl', 'data.pkl', 'a dict', describeValue(root), `. ${HELP}`);
  }
  if (key !== undefined) return atKey(root, key);
  const odd = oddItem(root);
  if (!odd) return root.items as ReadonlyMap<string, StoredTensor>;
  const nested = [...root.items.keys()].filter((name) => {
    const value = root.items.get(name);
    return typeof name === 'string' && value instanceof Dict && value.items.size > 0 && !oddItem(value);
  }) as string[];
  if (nested.length === 0) return refuseItem('', odd);
  const where = nested.slice(0, SHOWN).map(describe).join(' or ');
  const reason = `a state dict is at key ${where} of the checkpoint, which has the keys ${listKeys(root)}`;
  const help = `pass the one you want, such as { key: ${describe(nested[0])} }`;
  refuse.because('key-needed', nested[0]!, `${reason}: ${help}`, nested, undefined);
}

const HELP = 'Save the weights alone: torch.save(model.state_dict(), path)';

function atKey(root: Dict, key: string): ReadonlyMap<string, StoredTensor> {
  if (!root.items.has(key)) {
    const reason = `no key ${describe(key)} in the checkpoint, which has ${listKeys(root)}`;
    refuse.because('missing-key', key, reason, key, undefined);
  }
  const value = root.items.get(key);
  if (!(value instanceof Dict)) {
    refuse('not-a-state-dict', key, describe(key), 'a dict', describeValue(value));
  }
  const odd = oddItem(value);
  return odd ? refuseItem(`${key}.`, odd) : (value.items as ReadonlyMap<string, StoredTensor>);
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
