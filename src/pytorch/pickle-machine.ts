import { describe } from '../base/tensor.ts';
import { adviceFor, GLOBALS } from './globals.ts';
import { type PickleCursor, VALUE_BYTES } from './pickle-cursor.ts';
import { refuse } from './refuse.ts';
import { Dict, describeValue, type Global, Opaque, Storage, Tuple } from './values.ts';

/** Bytes on the budget: for a dict, for an item of a dict or of the memo, and for a place on the stack. */
const DICT_BYTES = 352;
const ITEM_BYTES = 72;
const SLOT_BYTES = 24;

/** The limit of open marks: lists, dicts and calls in one another. A checkpoint has a dozen. */
const MAX_DEPTH = 256;

/**
 * The stack machine of Python's pickle (Lib/pickletools.py), one method for each group of opcodes. It cannot run anything:
 * globals are looked up in a table of constants, objects are never built.
 */
export class PickleMachine {
  readonly #cursor: PickleCursor;
  readonly #stack: unknown[] = [];
  /** Heights of the stack where marks were set. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #highest = 0;
  #done = false;

  constructor(cursor: PickleCursor) {
    this.#cursor = cursor;
  }

  get done(): boolean {
    return this.#done;
  }

  stop(): void {
    this.#done = true;
  }

  /** Pops the value of the pickle. @throws ModelError if anything else is left */
  value(): unknown {
    const value = this.pop();
    if (this.#stack.length || this.#marks.length || !this.#cursor.atEnd) {
      this.#cursor.wrong('invalid-pickle', 'something after its value');
    }
    return value;
  }

  /** Pushes an empty dict. */
  dict(): void {
    this.push(new Dict(), DICT_BYTES);
  }

  /** Pushes a list, which keeps none of its items. */
  list(): void {
    this.push(new Opaque('a list'), VALUE_BYTES);
  }

  /** Skips `size` bytes of data that no tensor is made of, and pushes a stand-in for them. */
  opaque(size: number, kind: string): void {
    this.#cursor.advance(size);
    this.push(new Opaque(kind), VALUE_BYTES);
  }

  /** Pushes a value and counts `bytes` for it, and its place on the stack, on the budget. */
  push(value: unknown, bytes = 0): void {
    this.#stack.push(value);
    if (bytes) this.#cursor.spend(bytes);
    if (this.#stack.length > this.#highest) {
      this.#highest = this.#stack.length;
      this.#cursor.spend(SLOT_BYTES);
    }
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
    if (this.#marks.length > MAX_DEPTH) this.#cursor.wrong('too-deep', `marks nested deeper than ${MAX_DEPTH}`);
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      this.#cursor.wrong('invalid-pickle', 'an opcode without its operand');
    return this.#stack.pop();
  }

  /** Pops the last mark and everything above it. */
  popToMark(): unknown[] {
    const height = this.#marks.pop();
    if (height === undefined) this.#cursor.wrong('invalid-pickle', 'an opcode without its mark');
    return this.#stack.splice(height);
  }

  /** Pops a mark if that is on top, else a value. */
  popOrMark(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  /** Reads the value on top. */
  top(): unknown {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  tuple(items: readonly unknown[]): void {
    this.push(new Tuple(items), VALUE_BYTES + (SLOT_BYTES * items.length) / 2);
  }

  popTuple(size: number): void {
    const items = new Array<unknown>(size);
    for (let i = size - 1; i >= 0; i--) items[i] = this.pop();
    this.tuple(items);
  }

  /** Puts keys and values, in turn, into the dict on top. */
  setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Dict) || items.length % 2) {
      this.#cursor.wrong('invalid-pickle', `items for ${describeValue(dict)}`);
    }
    this.#cursor.spend((ITEM_BYTES * items.length) / 2);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (dict.items.has(key)) {
        const shown = describeValue(key);
        const path = typeof key === 'string' ? key : shown;
        const reason = `the key ${shown} is twice in a dict (${this.#cursor.where()})`;
        refuse.because('duplicate-key', path, reason, 'one entry', shown);
      }
      dict.items.set(key, items[i + 1]);
    }
  }

  /** Checks that items, which are gone already, are appended to a list. */
  append(): void {
    const list = this.top();
    if (list instanceof Opaque && list.kind === 'a list') return;
    this.#cursor.wrong('invalid-pickle', `items for ${describeValue(list)}`);
  }

  /** Puts the value on top into the memo. */
  store(index: number): void {
    const value = this.top();
    if (!this.#memo.has(index)) this.#cursor.spend(ITEM_BYTES);
    this.#memo.set(index, value);
  }

  memoize(): void {
    this.store(this.#memo.size);
  }

  /** Pushes an entry of the memo. */
  recall(index: number): void {
    if (!this.#memo.has(index)) this.#cursor.wrong('invalid-pickle', `the memo's entry ${index}, which was never put`);
    this.push(this.#memo.get(index));
  }

  /** Pushes a global. @throws ModelError unless it is one of GLOBALS; the message says what to save instead */
  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      this.#cursor.wrong('invalid-pickle', `a global named by ${describeValue(module)} and ${describeValue(name)}`);
    }
    const path = `${module}.${name}`;
    const found = GLOBALS.get(path);
    if (!found) {
      const reason = `${describe(path)} is not loaded (${this.#cursor.where()}). ${adviceFor(path)}`;
      refuse.because('unsupported-global', path, reason, 'a global of a state dict', path);
    }
    this.push(found);
  }

  /** Calls a global with a tuple of arguments: REDUCE. */
  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    const { name, call } = (callee ?? {}) as Partial<Global>;
    const result = args instanceof Tuple && isGlobal(callee) ? call?.(args.items) : undefined;
    if (result === undefined) {
      this.#cursor.wrong(
        'unsupported-call',
        `a call of ${isGlobal(callee) ? name : describeValue(callee)} with unusual arguments`,
      );
    }
    this.push(result, result instanceof Dict ? DICT_BYTES : VALUE_BYTES);
  }

  /** Drops the attributes that BUILD gives a state dict, such as `_metadata`: they say nothing about tensors. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    if (!(state instanceof Dict) || !(object instanceof Dict)) {
      this.#cursor.wrong('unsupported-call', `the state of ${describeValue(object)}`);
    }
  }

  /** Pushes the storage of a persistent id `('storage', type, key, location, elements)`. */
  persistent(): void {
    const id = this.pop();
    const [kind, type, key, , size] = id instanceof Tuple ? id.items : [];
    const dtype = isGlobal(type) ? type.dtype : undefined;
    if (kind !== 'storage' || !dtype || (id as Tuple).items.length !== 5) {
      this.#cursor.wrong('invalid-pickle', `the persistent id ${describeValue(id)} that names no storage`);
    }
    this.push(new Storage(dtype, key, size), VALUE_BYTES);
  }
}

function isGlobal(value: unknown): value is Global {
  return GLOBALS.get((value as Partial<Global> | null)?.name ?? '') === value && value !== undefined;
}
