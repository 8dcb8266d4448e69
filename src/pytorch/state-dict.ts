import { describe } from '../base/tensor.ts';
import { refuse } from './refuse.ts';
import { Dict, describeValue, StoredTensor } from './values.ts';

/** Keys that a message shows. */
const SHOWN = 12;

/**
 * The state dict of a checkpoint: the value of the pickle, or what it has at `key`.
 * @throws ModelError if that is no dict of tensors; it names the keys that hold one
 */
export function findStateDict(root: unknown, key: string | undefined): ReadonlyMap<string, StoredTensor> {
  if (!(root instanceof Dict)) {
    const found = describeValue(root);
    refuse(
      'not-a-state-dict',
      'data.pkl',
      `data.pkl expected a dict of tensors, got ${found}. ${HELP}`,
      'a dict',
      found,
    );
  }
  if (key !== undefined) return atKey(root, key);
  const odd = oddItem(root);
  if (!odd) return root.items as ReadonlyMap<string, StoredTensor>;
  const nested = [...root.items.keys()].filter((name) => {
    const value = root.items.get(name);
    return typeof name === 'string' && value instanceof Dict && value.items.size > 0 && !oddItem(value);
  }) as string[];
  if (nested.length === 0) return refuseItem('', odd);
  const keys = list(root);
  const text = `a state dict is at key ${nested.slice(0, SHOWN).map(describe).join(' or ')} of the checkpoint, which has the keys ${keys}`;
  const help = `give the one you want, such as { key: ${describe(nested[0])} }`;
  refuse('key-needed', nested[0]!, `${text}: ${help}`, nested, undefined);
}

const HELP = 'Save the weights alone: torch.save(model.state_dict(), path)';

function atKey(root: Dict, key: string): ReadonlyMap<string, StoredTensor> {
  if (!root.items.has(key)) {
    refuse('missing-key', key, `no key ${describe(key)} in the checkpoint, which has ${list(root)}`, key, undefined);
  }
  const value = root.items.get(key);
  if (!(value instanceof Dict)) {
    const found = describeValue(value);
    refuse('not-a-state-dict', key, `${describe(key)} expected a dict of tensors, got ${found}`, 'a dict', found);
  }
  const odd = oddItem(value);
  return odd ? refuseItem(`${key}.`, odd) : (value.items as ReadonlyMap<string, StoredTensor>);
}

/** The first item that does not belong into a state dict. */
function oddItem({ items }: Dict): [key: unknown, value: unknown] | undefined {
  for (const item of items) {
    if (typeof item[0] !== 'string' || !(item[1] instanceof StoredTensor)) return item;
  }
  return undefined;
}

function refuseItem(prefix: string, [key, value]: [key: unknown, value: unknown]): never {
  const path = typeof key === 'string' ? prefix + key : prefix + describeValue(key);
  const what = typeof key === 'string' ? 'a tensor' : 'a string as its key';
  const found = typeof key === 'string' ? describeValue(value) : describeValue(key);
  const text = `${describe(path)} expected ${what}, got ${found}: this is no state dict. ${HELP}`;
  refuse('not-a-state-dict', path, text, what, found);
}

function list({ items }: Dict): string {
  const keys = [...items.keys()].slice(0, SHOWN).map(describeValue);
  if (items.size > SHOWN) keys.push(`and ${items.size - SHOWN} more`);
  return keys.join(', ') || 'none';
}
