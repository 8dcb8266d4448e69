import type { Budget } from '../../files/budget.ts';
import type { Hdf5Cursor } from './cursor.ts';

// Object headers: what an object is, told in messages (HDF5 file format, IV.A.1), in blocks, of which a message may name the next.

/** The letters OHDR. */
const OHDR = 0x5244484f;

/** Messages by what they are about. */
export const MESSAGE = {
  nil: 0,
  dataspace: 1,
  links: 2,
  datatype: 3,
  link: 6,
  layout: 8,
  filters: 11,
  attribute: 12,
  more: 16,
  symbols: 17,
  attributes: 21,
};
/** Old and new fill values, sizes of groups, comments, times of change, counts of links: they change nothing. */
const IGNORED = [4, 5, 10, 13, 14, 18, 22];
const UNSUPPORTED: ReadonlyMap<number, string> = new Map([[7, 'data in another file, which is never opened']]);

export interface Message {
  readonly type: number;
  readonly at: number;
  readonly size: number;
}

/** How a version writes its headers. */
interface Form {
  /** Where the first block is */
  readonly begin: number;
  readonly size: number;
  /** Bytes of what stands before a message */
  readonly head: number;
  /** What stands before and behind the messages in a later block */
  readonly before: number;
  readonly behind: number;
  /** How many messages there are, if it says so */
  readonly count: number;
}

/** The messages of an object. */
export function readHeader(cursor: Hdf5Cursor, budget: Budget, name: string, at: number): Message[] {
  cursor.need(at, 16, name);
  const version = cursor.u8(at);
  const form = version === 1 ? readFirstForm(cursor, at) : readSecondForm(cursor, at, name);
  cursor.claim(at, form.begin - at + form.size, name);
  const blocks = [{ begin: form.begin, end: form.begin + form.size }];
  const messages: Message[] = [];
  for (const block of blocks) {
    // in the second form a gap too small for a message may follow
    for (let here = block.begin; here + form.head <= block.end && messages.length < form.count; ) {
      const message = readMessage(cursor, name, here, version, form.head);
      here = message.at + message.size;
      if (here > block.end) cursor.refuse('invalid-hdf5', name, 'a message beyond the end of its block', message.at);
      checkMessage(cursor, name, message);
      messages.push(message);
      budget.spend(50, name);
      if (message.type !== MESSAGE.more) continue;
      const [begin, size] = [cursor.u64(message.at), cursor.u64(message.at + 8)];
      if (form.before > 0) cursor.signature(begin, 'OCHK', 4, name);
      cursor.claim(begin + form.before, size - form.before, name);
      blocks.push({ begin: begin + form.before, end: begin + size - form.behind });
    }
  }
  if (messages.length < form.count && form.count !== Infinity) {
    cursor.refuse('invalid-hdf5', name, `${form.count} messages expected, it has ${messages.length}`, at);
  }
  return messages;
}

function readFirstForm(cursor: Hdf5Cursor, at: number): Form {
  return { begin: at + 16, size: cursor.u32(at + 8), head: 8, before: 0, behind: 0, count: cursor.u16(at + 2) };
}

/** OHDR: flags say whether times and limits of attributes are there, and how wide the size of the first block is. */
function readSecondForm(cursor: Hdf5Cursor, at: number, name: string): Form {
  if (cursor.u32(at) !== OHDR || cursor.u8(at + 4) !== 2) {
    cursor.refuse('unsupported', name, 'no object header of version 1 or 2', at);
  }
  const flags = cursor.u8(at + 5);
  const sizeAt = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  cursor.need(sizeAt, 1 << (flags & 3), name);
  cursor.newer = true;
  const size = cursor.unsigned(sizeAt, 1 << (flags & 3));
  const begin = sizeAt + (1 << (flags & 3));
  return { begin, size, head: flags & 4 ? 6 : 4, before: 4, behind: 4, count: Infinity };
}

function readMessage(cursor: Hdf5Cursor, name: string, at: number, version: number, head: number): Message {
  const first = version === 1;
  const [type, size] = first ? [cursor.u16(at), cursor.u16(at + 2)] : [cursor.u8(at), cursor.u16(at + 1)];
  const flags = cursor.u8(at + (first ? 4 : 3));
  if (flags & 2) cursor.refuse('unsupported', name, 'a message that is somewhere else', at);
  return { type, at: at + head, size };
}

function checkMessage(cursor: Hdf5Cursor, name: string, { type, at, size }: Message): void {
  const unsupported = UNSUPPORTED.get(type);
  if (unsupported) cursor.refuse('unsupported', name, unsupported, at);
  if (!Object.values(MESSAGE).includes(type) && !IGNORED.includes(type)) {
    cursor.refuse('unsupported', name, `a message of type ${type}`, at);
  }
  if (type === MESSAGE.more || type === MESSAGE.symbols) cursor.check(at, size, 16, name);
  if (type === MESSAGE.symbols && size !== 16)
    cursor.refuse('invalid-hdf5', name, `a symbol table message of ${size} bytes`, at);
}
