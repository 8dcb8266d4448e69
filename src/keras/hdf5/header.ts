import type { Budget } from '../../files/budget.ts';
import type { Hdf5Cursor, Span } from './cursor.ts';

// Object headers (HDF5 file format, IV.A.1): messages that describe an object, in blocks. A message may name the next block.

/** The letters OHDR as a little-endian number. */
const OHDR = 0x5244484f;

/** The types of messages that are read. */
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
/** Types that change nothing: fill values old and new, sizes of groups, comments, times of change, counts of links. */
const IGNORED = [4, 5, 10, 13, 14, 18, 22];
const UNSUPPORTED: ReadonlyMap<number, string> = new Map([[7, 'data in another file, which is never opened']]);

/** A message: its type, and the span of its content. */
export interface Message extends Span {
  readonly type: number;
}

/** The layout of a header, by its version. */
interface HeaderLayout {
  /** The offset of the first block. */
  readonly begin: number;
  /** Bytes of the first block. */
  readonly size: number;
  /** Bytes in front of the content of a message. */
  readonly head: number;
  /** Bytes in front of the messages in a later block. */
  readonly before: number;
  /** Bytes behind the messages in a later block. */
  readonly behind: number;
  /** The number of messages; Infinity if the header does not say. */
  readonly count: number;
}

/** Reads the messages of an object. */
export function readHeader(cursor: Hdf5Cursor, budget: Budget, name: string, at: number): Message[] {
  cursor.need(at, 16, name);
  const version = cursor.u8(at);
  const layout = version === 1 ? readLayout1(cursor, at) : readLayout2(cursor, at, name);
  cursor.claim(at, layout.begin - at + layout.size, name);
  const blocks = [{ begin: layout.begin, end: layout.begin + layout.size }];
  const messages: Message[] = [];
  for (const block of blocks) {
    // version 2 may have a gap at the end that is too small for a message
    for (let here = block.begin; here + layout.head <= block.end && messages.length < layout.count; ) {
      const message = readMessage(cursor, name, here, version, layout.head);
      here = message.at + message.size;
      if (here > block.end) cursor.refuse('invalid-hdf5', name, 'a message beyond the end of its block', message.at);
      checkMessage(cursor, name, message);
      messages.push(message);
      budget.spend(50, name);
      if (message.type !== MESSAGE.more) continue;
      const [begin, size] = [cursor.u64(message.at), cursor.u64(message.at + 8)];
      if (layout.before > 0) cursor.signature(begin, 'OCHK', 4, name);
      cursor.claim(begin + layout.before, size - layout.before, name);
      blocks.push({ begin: begin + layout.before, end: begin + size - layout.behind });
    }
  }
  if (messages.length < layout.count && layout.count !== Infinity) {
    cursor.refuse('invalid-hdf5', name, `expected ${layout.count} messages, got ${messages.length}`, at);
  }
  return messages;
}

/** Reads version 1. */
function readLayout1(cursor: Hdf5Cursor, at: number): HeaderLayout {
  return { begin: at + 16, size: cursor.u32(at + 8), head: 8, before: 0, behind: 0, count: cursor.u16(at + 2) };
}

/** Reads OHDR: flags tell whether times and limits of attributes follow, and the width of the size of the first block. */
function readLayout2(cursor: Hdf5Cursor, at: number, name: string): HeaderLayout {
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
  if (flags & 2) cursor.refuse('unsupported', name, 'a shared message, which is stored elsewhere', at);
  return { type, at: at + head, size };
}

/** Refuses messages that are not read, or too short. */
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
