import { describe } from '../../base/tensor.ts';
import type { Budget } from '../../files/budget.ts';
import type { Hdf5Cursor, Span } from './cursor.ts';
import { MESSAGE, type Message } from './header.ts';
import { readHeap } from './heap.ts';
import { readSymbols } from './symbols.ts';

/** Bytes on the budget for a link, beyond its name. */
const LINK_BYTES = 300;

/** A name in a group, and the address of its object. */
export interface Link {
  readonly name: string;
  readonly at: number;
}

/**
 * Reads the names in a group, from tables of symbols or from messages (HDF5 file format, IV.A.2.c and g).
 * @returns undefined if the object is no group
 */
export function readLinks(
  cursor: Hdf5Cursor,
  budget: Budget,
  group: string,
  messages: readonly Message[],
): Link[] | undefined {
  const symbols = messages.find(({ type }) => type === MESSAGE.symbols);
  const info = messages.find(({ type }) => type === MESSAGE.links);
  const own = messages.filter(({ type }) => type === MESSAGE.link);
  if (!symbols && !info && own.length === 0) return undefined;
  const names = new Set<string>();
  const links: Link[] = [];
  const add = (name: string, at: number, from: number) => {
    budget.spend(LINK_BYTES + 4 * name.length, group);
    if (names.has(name) || /^$|^\.\.?$|[/\0]|^__proto__$/.test(name)) {
      cursor.refuse('invalid-name', group, `the name ${describe(name)}, which is not allowed or repeated`, from);
    }
    names.add(name);
    links.push({ name, at });
  };
  if (symbols) readSymbols(cursor, group, symbols, add);
  for (const message of own) readLink(cursor, group, message, add);
  if (info) {
    for (const object of readHeap(cursor, budget, group, info, 8)) readLink(cursor, group, object, add);
  }
  return links;
}

/** Reads a name from a message. */
function readLink(
  cursor: Hdf5Cursor,
  group: string,
  { at, size }: Span,
  add: (name: string, at: number, from: number) => void,
): void {
  cursor.check(at, size, 3, group);
  const [version, flags] = [cursor.u8(at), cursor.u8(at + 1)];
  if (version !== 1) cursor.refuse('unsupported', group, `a link of version ${version}`, at);
  let used = 2;
  const type = flags & 8 ? cursor.u8(at + used++) : 0;
  if (flags & 4) used += 8;
  if (flags & 16) used++;
  const width = 1 << (flags & 3);
  cursor.check(at, size, used + width, group);
  const length = cursor.unsigned(at + used, width);
  used += width;
  cursor.check(at, size, used + length + 8, group);
  const name = cursor.characters(at + used, at + used + length, group);
  if (type !== 0) {
    cursor.refuse('unsupported', group, `${describe(name)} is a link to another name, which is not followed`, at);
  }
  add(name, cursor.u64(at + used + length), at);
}
