import { GLOBALS } from './globals.ts';
import { type PickleCursor, VALUE_BYTES } from './pickle-cursor.ts';
import { refuse } from './refuse.ts';
import { Dict, describeValue, Foreign, type Global, List, Opaque, Storage, Tuple } from './values.ts';

/** Bytes on the budget: for the first item of a dict, for any item, for a place on the stack or in a list, and for one in the memo. */
const MAP_BYTES = 288;
const ITEM_BYTES = 64;
const SLOT_BYTES = 24;
const MEMO_BYTES = 16;

/** The limit of open marks: lists, dicts and calls in one another. A checkpoint has a dozen. */
const MAX_DEPTH = 256;

/** The kind of pickle: of a zip; of the format before torch 1.6, whose storages have no entries; or of its list of their names. */
export type PickleKind = 'zip' | 'legacy' | 'names';

/**
 * The stack machine of Python's pickle (Lib/pickletools.py), one method for each group of opcodes. It cannot run anything:
 * globals are looked up in a table of constants, objects are never built. What it does not know is a Foreign value, and so is
 * whatever is made of that.
 */
export class PickleMachine {
  readonly #cursor: PickleCursor;
  readonly #stack: unknown[] = [];
  /** Heights of the stack where marks were set. */
  readonly #marks: number[] = [];
  /** Mostly numbered from 0 on, which an array holds in a tenth of the memory of a Map. */
  readonly #memo: unknown[] = [];
  readonly #sparse = new Map<number, unknown>();
  readonly #kind: PickleKind;
  #highest = 0;
  #done = false;
  /** The first value that is foreign. */
  foreign: Foreign | undefined;
  /** All storages by key, where the file does not tell their sizes in bytes: before torch 1.6. */
  readonly storages = new Map<unknown, Storage | Foreign>();

  constructor(cursor: PickleCursor, kind: PickleKind) {
    this.#cursor = cursor;
    this.#kind = kind;
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
    if (this.#stack.length || this.#marks.length) {
      this.#cursor.wrong('invalid-pickle', 'something after its value');
    }
    return value;
  }

  /** Pushes an empty dict. */
  dict(): void {
    this.push(new Dict(), VALUE_BYTES);
  }

  /** Pushes an empty list. */
  list(): void {
    this.push(new List(), VALUE_BYTES);
  }

  /** Skips `size` bytes of data that no tensor is made of, and pushes a stand-in for them. */
  opaque(size: number, value: Opaque): void {
    this.#cursor.advance(size);
    this.push(value);
  }

  /** Makes the stand-in for what is not loaded; `found` is its name, or words for it. */
  #foreignFor(code: Foreign['code'], found: string): Foreign {
    this.#cursor.spend(2 * VALUE_BYTES);
    const value = new Foreign(code, found, this.#cursor.where());
    this.foreign ??= value;
    return value;
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
    if (dict instanceof Foreign && items.length % 2 === 0) return;
    if (!(dict instanceof Dict) || items.length % 2) {
      this.#cursor.wrong('invalid-pickle', `items for ${describeValue(dict)}`);
    }
    this.#cursor.spend((ITEM_BYTES * items.length) / 2 + (dict.items.size ? 0 : MAP_BYTES));
    for (let i = 0; i < items.length; i += 2) {
      // one stand-in for all floats, but each a key of its own
      const key = items[i] instanceof Opaque ? new Opaque((items[i] as Opaque).kind) : items[i];
      if (dict.items.has(key)) {
        const shown = describeValue(key);
        const path = typeof key === 'string' ? key : shown;
        const reason = `the key ${shown} is twice in a dict (${this.#cursor.where()})`;
        refuse.because('duplicate-key', path, reason, 'one entry', shown);
      }
      dict.set(key, items[i + 1]);
    }
  }

  /** Appends items to the list on top, which keeps only some. */
  append(items: readonly unknown[]): void {
    const list = this.top();
    if (list instanceof Foreign) return;
    if (!(list instanceof List)) this.#cursor.wrong('invalid-pickle', `items for ${describeValue(list)}`);
    for (const item of items) {
      if (!list.items) return;
      const keeps =
        typeof item === 'string' ? this.#kind === 'names' || list.items.length === 0 : isPart(item, list.items.length);
      if (keeps) this.#cursor.spend(SLOT_BYTES);
      if (keeps) list.items.push(item);
      else list.items = undefined;
    }
  }

  /** Checks that items, which are gone already, are added to a set. */
  add(): void {
    const set = this.top();
    if (set instanceof Foreign || (set instanceof Opaque && set.kind === 'a set')) return;
    this.#cursor.wrong('invalid-pickle', `items for ${describeValue(set)}`);
  }

  /** Puts the value on top into the memo. */
  store(index: number): void {
    const value = this.top();
    if (index < this.#memo.length) this.#memo[index] = value;
    else if (index === this.#memo.length) {
      this.#cursor.spend(MEMO_BYTES);
      this.#memo.push(value);
      this.#sparse.delete(index);
    } else {
      if (!this.#sparse.has(index)) this.#cursor.spend(ITEM_BYTES);
      this.#sparse.set(index, value);
    }
  }

  memoize(): void {
    this.store(this.#memo.length + this.#sparse.size);
  }

  /** Pushes an entry of the memo. */
  recall(index: number): void {
    const isDense = index < this.#memo.length;
    if (!isDense && !this.#sparse.has(index)) {
      this.#cursor.wrong('invalid-pickle', `the memo's entry ${index}, which was never put`);
    }
    this.push(isDense ? this.#memo[index] : this.#sparse.get(index));
  }

  /** Pushes a global, or the stand-in for one that is not known. */
  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      this.#cursor.wrong('invalid-pickle', `a global named by ${describeValue(module)} and ${describeValue(name)}`);
    }
    const path = `${module}.${name}`;
    this.push(GLOBALS.get(path) ?? this.#foreignFor('unsupported-global', path));
  }

  /** Pushes the global that the next two lines name. */
  globalOfLines(): void {
    const [module, name] = [this.#cursor.line(), this.#cursor.line()];
    this.global(module, name);
    // a known one keeps nothing of the lines
    if (isGlobal(this.#stack.at(-1))) this.#cursor.spend(-2 * (VALUE_BYTES + module.length + name.length));
  }

  /** Calls a global with a tuple of arguments: REDUCE. */
  reduce(): void {
    const args = this.pop();
    this.push(this.#call(this.pop(), args), VALUE_BYTES);
  }

  #call(callee: unknown, args: unknown): unknown {
    if (callee instanceof Foreign) return callee;
    const { name, call } = isGlobal(callee) ? callee : { name: describeValue(callee) };
    const items = args instanceof Tuple ? args.items : [args];
    // an OrderedDict has an entry for each item of a list, which may be one of the memo
    if (items[0] instanceof List) this.#cursor.spend(MAP_BYTES + ITEM_BYTES * (items[0].items?.length ?? 0));
    // a tensor of a foreign storage is foreign
    if (call && items[0] instanceof Foreign) return items[0];
    const result = args instanceof Tuple ? call?.(items) : undefined;
    return result ?? this.#foreignFor('unsupported-call', `a call of ${name} with unusual arguments`);
  }

  /** Pushes the stand-in for an object of a class, which is below `count` arguments. */
  newObject(count: 1 | 2): void {
    for (let i = 0; i < count; i++) this.pop();
    const type = this.pop();
    if (type instanceof Foreign) this.push(type);
    else this.push(this.#foreignFor('unsupported-call', `a new object of ${describeValue(type)}`));
  }

  /** Drops the attributes that BUILD gives a state dict, such as `_metadata`: they say nothing about tensors. */
  build(): void {
    const state = this.pop();
    const object = this.pop();
    const known = object instanceof Foreign || (state instanceof Dict && object instanceof Dict);
    this.push(known ? object : this.#foreignFor('unsupported-call', `attributes for ${describeValue(object)}`));
  }

  /** Pushes the storage of a persistent id `('storage', type, key, location, elements)`, before torch 1.6 with a part of it. */
  persistent(): void {
    const id = this.pop();
    const [kind, type, key, , size, part] = id instanceof Tuple ? id.items : [];
    const dtype = isGlobal(type) ? type.dtype : undefined;
    const legacy = this.#kind === 'legacy';
    // a module is its class here, which is foreign
    const isForeign = type instanceof Foreign && (kind === 'storage' || (legacy && kind === 'module'));
    const isStorage = kind === 'storage' && dtype && (id as Tuple).items.length === (legacy ? 6 : 5);
    if (!isForeign && !isStorage) {
      this.#cursor.wrong('invalid-pickle', `the persistent id ${describeValue(id)} that names no storage`);
    }
    const storage = isForeign ? type : new Storage(dtype!, key, size, part);
    this.push(storage, VALUE_BYTES);
    if (!legacy || kind !== 'storage') return;
    const before = this.storages.get(key);
    if (!before) {
      this.#cursor.spend(ITEM_BYTES);
      this.storages.set(key, storage);
    } else if (!sameStorage(before, storage)) {
      this.#cursor.wrong('invalid-pickle', `the storage ${describeValue(key)} with two types or sizes`);
    }
  }
}

function sameStorage(a: Storage | Foreign, b: Storage | Foreign): boolean {
  if (a instanceof Foreign || b instanceof Foreign)
    return a instanceof Foreign && b instanceof Foreign && a.found === b.found;
  return a.dtype === b.dtype && a.size === b.size;
}

/** Tells whether an item that is no string can be number `index` of the lists of lists that Python 2 writes for an OrderedDict. */
function isPart(item: unknown, index: number): boolean {
  return index === 1 || (item instanceof List && item.items?.length === 2);
}

function isGlobal(value: unknown): value is Global {
  return GLOBALS.get((value as Partial<Global> | null)?.name ?? '') === value && value !== undefined;
}
