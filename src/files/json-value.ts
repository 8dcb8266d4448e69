import { describe } from '../base/tensor.ts';
import type { Budget } from './budget.ts';
import { JsonCursor } from './json.ts';
import { decodeUtf8 } from './utf8.ts';

/**
 * Bytes on the budget: for an object; for an array, a string or a name; and for an element of an array, whose memory is taken
 * several times while it grows.
 */
const OBJECT_BYTES = 320;
const VALUE_BYTES = 96;
const ITEM_BYTES = 40;

/** The byte order mark in UTF-8, which editors and PowerShell put in front of a text. RFC 8259 lets readers pass over it. */
const MARK = [0xef, 0xbb, 0xbf];

/**
 * Reads a JSON text as JSON.parse does, except that objects have no prototype, a repeated name is refused, and a byte order mark
 * in front is passed over. Counts what it makes on the budget.
 * @param who the reader, as messages name it
 * @throws ModelError
 */
export function parseJson(who: string, bytes: Uint8Array, budget: Budget): unknown {
  const cursor = new JsonCursor(who, bytes, MARK.every((byte, i) => bytes[i] === byte) ? MARK.length : 0);
  const value = readValue(cursor, bytes, budget);
  cursor.end();
  return value;
}

function readValue(cursor: JsonCursor, bytes: Uint8Array, budget: Budget): unknown {
  const at = cursor.next();
  if (cursor.atString()) {
    const text = cursor.string();
    budget.spend(VALUE_BYTES + 2 * (cursor.at - at), `byte ${at}`);
    return text;
  }
  if (cursor.atObject()) return readObject(cursor, bytes, budget);
  if (cursor.atArray()) return readArray(cursor, bytes, budget);
  cursor.skip();
  const text = decodeUtf8(bytes.subarray(at, cursor.at));
  return text === 'null' ? null : text === 'true' || (text !== 'false' && Number(text));
}

function readObject(cursor: JsonCursor, bytes: Uint8Array, budget: Budget): object {
  const object: Record<string, unknown> = Object.create(null);
  budget.spend(OBJECT_BYTES, `byte ${cursor.at}`);
  cursor.members((name, at) => {
    if (name in object) {
      const reason = `the key ${describe(name)} is repeated (at byte ${at})`;
      cursor.refuse.because('duplicate-key', name, reason, 'different keys', name);
    }
    budget.spend(VALUE_BYTES + 2 * name.length, `byte ${at}`);
    object[name] = readValue(cursor, bytes, budget);
  });
  return object;
}

function readArray(cursor: JsonCursor, bytes: Uint8Array, budget: Budget): unknown[] {
  const array: unknown[] = [];
  budget.spend(VALUE_BYTES, `byte ${cursor.at}`);
  cursor.items(() => {
    budget.spend(ITEM_BYTES, `byte ${cursor.at}`);
    array.push(readValue(cursor, bytes, budget));
  });
  return array;
}
