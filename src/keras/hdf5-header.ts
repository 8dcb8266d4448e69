import type { Budget } from '../budget.ts';
import type { Hdf5Cursor } from './hdf5-cursor.ts';

// Object headers of version 1: what an object is, told in messages (HDF5 file format, IV.A.1.a).

/** Messages by what they are about. */
export const MESSAGE = {
  nil: 0,
  dataspace: 1,
  datatype: 3,
  layout: 8,
  filters: 11,
  attribute: 12,
  more: 16,
  symbols: 17,
};
/** Old and new fill values, comments, times of change, counts of links: they change nothing. */
const IGNORED = [4, 5, 13, 14, 18, 22];
const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [2, 'a group of a newer format: write the file with libver="earliest", as h5py does by itself'],
  [6, 'a link of a newer format: write the file with libver="earliest", as h5py does by itself'],
  [7, 'data in another file, which is never opened'],
  [21, 'attributes of a newer format: write the file with libver="earliest", as h5py does by itself'],
]);

export interface Message {
  readonly type: number;
  readonly at: number;
  readonly size: number;
}

/** The messages of an object header of version 1: in blocks, of which a message may name the next. */
export function readHeader(cursor: Hdf5Cursor, budget: Budget, name: string, at: number): Message[] {
  cursor.claim(at, 16, name);
  if (cursor.u8(at) !== 1) {
    const text = 'no object header of version 1: write the file with libver="earliest", as h5py does by itself';
    cursor.refuse('unsupported', name, text, at);
  }
  const count = cursor.u16(at + 2);
  const blocks = [{ begin: at + 16, size: cursor.u32(at + 8) }];
  const messages: Message[] = [];
  let block = blocks.shift()!;
  cursor.claim(block.begin, block.size, name);
  let used = 0;
  for (let i = 0; i < count; i++) {
    if (used === block.size) {
      const next = blocks.shift();
      block = next ?? cursor.refuse('invalid-hdf5', name, `${count} messages expected, it has ${i}`, at);
      cursor.claim(block.begin, block.size, name);
      used = 0;
    }
    const here = block.begin + used;
    if (used + 8 > block.size) cursor.refuse('invalid-hdf5', name, 'a message beyond the end of its block', here);
    const [type, size, flags] = [cursor.u16(here), cursor.u16(here + 2), cursor.u8(here + 4)];
    used += 8 + size;
    if (used > block.size) cursor.refuse('invalid-hdf5', name, 'a message beyond the end of its block', here);
    const message = { type, at: here + 8, size };
    checkMessage(cursor, name, message, flags);
    if (type === MESSAGE.more) blocks.push({ begin: cursor.u64(here + 8), size: cursor.u64(here + 16) });
    messages.push(message);
    budget.spend(50, name);
  }
  return messages;
}

function checkMessage(cursor: Hdf5Cursor, name: string, { type, at, size }: Message, flags: number): void {
  const unsupported = UNSUPPORTED.get(type);
  if (unsupported) cursor.refuse('unsupported', name, unsupported, at);
  if (!Object.values(MESSAGE).includes(type) && !IGNORED.includes(type)) {
    cursor.refuse('unsupported', name, `a message of type ${type}`, at);
  }
  if (flags & 2) cursor.refuse('unsupported', name, 'a message that is somewhere else', at);
  if (type === MESSAGE.more || type === MESSAGE.symbols) cursor.check(at, size, 16, name);
  if (type === MESSAGE.symbols && size !== 16)
    cursor.refuse('invalid-hdf5', name, `a symbol table message of ${size} bytes`, at);
}
