import type { Budget } from '../budget.ts';
import { describe } from '../tensor.ts';
import { decodeUtf8, findInvalidUtf8 } from '../utf8.ts';
import { GLOBALS } from './globals.ts';
import { refuse } from './refuse.ts';
import { Dict, describeValue, type Global, Opaque, Storage, Tuple } from './values.ts';

// The stack machine of Python's pickle (Lib/pickletools.py), with the opcodes that torch.save makes of a checkpoint. It has no
// way to run anything: globals are looked up in a table of constants, objects are never built.

/** What things take on the budget of the file: half as much again as their size, since collectors are late. */
const VALUE_BYTES = 96;
const DICT_BYTES = 352;
const ITEM_BYTES = 72;
const SLOT_BYTES = 24;

/** Lists, dicts and calls inside one another; a checkpoint has a dozen. */
const MAX_DEPTH = 256;

/** Larger integers say nothing about a tensor. */
const LONG_BYTES = 8;

interface Opcode {
  readonly name: string;
  readonly run: (machine: Machine) => void;
}

/**
 * The value of a pickle.
 * @throws ModelError
 */
export function unpickle(bytes: Uint8Array, budget: Budget): unknown {
  return new Machine(bytes, budget).run();
}

class Machine {
  /** For an integer of up to eight bytes: one for each would take most of the time. */
  readonly #wide = new DataView(new ArrayBuffer(LONG_BYTES));
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #budget: Budget;
  readonly #stack: unknown[] = [];
  /** Heights of the stack */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #highest = 0;
  #done = false;

  constructor(bytes: Uint8Array, budget: Budget) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = budget;
  }

  run(): unknown {
    while (!this.#done) {
      const code = this.unsigned(1);
      const opcode = OPCODES.get(code);
      if (!opcode) {
        const shown = OTHER_OPCODES.get(code) ?? `0x${code.toString(16)}`;
        this.wrong('unsupported-opcode', `the opcode ${shown}, which a state dict does not need`, -1);
      }
      opcode.run(this);
    }
    const value = this.pop();
    if (this.#stack.length || this.#marks.length || this.#at !== this.#bytes.length) {
      this.wrong('invalid-pickle', 'something after its value');
    }
    return value;
  }

  stop(): void {
    this.#done = true;
  }

  spend(bytes: number): void {
    this.#budget.spend(bytes, 'data.pkl');
  }

  /** Goes on by `count` bytes and gives where they begin. */
  advance(count: number): number {
    const begin = this.#at;
    if (begin + count > this.#bytes.length) {
      const text = `data.pkl ends at byte ${this.#bytes.length}, in the middle of its value`;
      refuse('truncated', 'data.pkl', text, begin + count, this.#bytes.length);
    }
    this.#at += count;
    return begin;
  }

  /** The next bytes of the pickle. */
  bytes(count: number): Uint8Array {
    const begin = this.advance(count);
    return this.#bytes.subarray(begin, this.#at);
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.advance(width);
    if (width === 1) return this.#bytes[at]!;
    if (width === 2) return this.#view.getUint16(at, true);
    const low = this.#view.getUint32(at, true);
    return width === 4 ? low : low + 2 ** 32 * this.#view.getUint32(at + 4, true);
  }

  int32(): number {
    return this.unsigned(4) | 0;
  }

  /** An integer in two's complement. */
  long(size: number): number | bigint | Opaque {
    const at = this.advance(size);
    if (size > LONG_BYTES) return this.#large();
    const wide = this.#wide;
    const sign = size > 0 && this.#bytes[at + size - 1]! > 0x7f ? 0xff : 0;
    for (let i = 0; i < LONG_BYTES; i++) wide.setUint8(i, i < size ? this.#bytes[at + i]! : sign);
    return this.#narrow(wide.getBigInt64(0, true));
  }

  /** The text of a line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const text = this.string((end < 0 ? this.#bytes.length : end) - this.#at);
    this.advance(1);
    return text;
  }

  /** An integer in decimal digits; as text `01` and `00` are booleans. */
  decimal(text: string): unknown {
    if (!/^-?\d+$/.test(text)) this.wrong('invalid-pickle', `the integer ${describe(text)}`);
    return text.length > 20 ? this.#large() : this.#narrow(BigInt(text));
  }

  #narrow(value: bigint): number | bigint {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    this.spend(VALUE_BYTES);
    return value;
  }

  #large(): Opaque {
    this.spend(VALUE_BYTES);
    return new Opaque('a large integer');
  }

  string(size: number): string {
    const bytes = this.bytes(size);
    this.spend(VALUE_BYTES + 2 * size);
    if (findInvalidUtf8(bytes) >= 0) this.wrong('invalid-utf8', 'a string that is not UTF-8');
    return decodeUtf8(bytes);
  }

  /** Data that nobody needs. */
  opaque(size: number, kind: string): void {
    this.advance(size);
    this.push(new Opaque(kind), VALUE_BYTES);
  }

  push(value: unknown, bytes = 0): void {
    this.#stack.push(value);
    if (bytes) this.spend(bytes);
    if (this.#stack.length > this.#highest) {
      this.#highest = this.#stack.length;
      this.spend(SLOT_BYTES);
    }
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
    if (this.#marks.length > MAX_DEPTH) this.wrong('too-deep', `marks nested deeper than ${MAX_DEPTH}`);
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.wrong('invalid-pickle', 'an opcode without its operand');
    return this.#stack.pop();
  }

  /** What lies above the last mark, which goes. */
  popToMark(): unknown[] {
    const height = this.#marks.pop();
    if (height === undefined) this.wrong('invalid-pickle', 'an opcode without its mark');
    return this.#stack.splice(height);
  }

  /** POP takes a mark if that is on top. */
  popOrMark(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

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
      this.wrong('invalid-pickle', `items for ${describeValue(dict)}`);
    }
    this.spend((ITEM_BYTES * items.length) / 2);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (dict.items.has(key)) {
        const shown = describeValue(key);
        refuse(
          'duplicate-key',
          typeof key === 'string' ? key : shown,
          `the key ${shown} is twice in a dict (${this.#where()})`,
          'one entry',
          shown,
        );
      }
      dict.items.set(key, items[i + 1]);
    }
  }

  /** Of a list nothing is kept. */
  append(): void {
    const list = this.top();
    if (list instanceof Opaque && list.kind === 'a list') return;
    this.wrong('invalid-pickle', `items for ${describeValue(list)}`);
  }

  store(index: number): void {
    const value = this.top();
    if (!this.#memo.has(index)) this.spend(ITEM_BYTES);
    this.#memo.set(index, value);
  }

  memoize(): void {
    this.store(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) this.wrong('invalid-pickle', `the memo's entry ${index}, which was never put`);
    this.push(this.#memo.get(index));
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      this.wrong('invalid-pickle', `a global named by ${describeValue(module)} and ${describeValue(name)}`);
    }
    const path = `${module}.${name}`;
    const found = GLOBALS.get(path);
    if (!found) {
      const text =
        `${describe(path)} is no part of a state dict and is not loaded (${this.#where()}). ` +
        'Save the weights alone: torch.save(model.state_dict(), path)';
      refuse('unsupported-global', path, text, 'a global of a state dict', path);
    }
    this.push(found);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    const { name, call } = (callee ?? {}) as Partial<Global>;
    const result = args instanceof Tuple && isGlobal(callee) ? call?.(args.items) : undefined;
    if (result === undefined) {
      this.wrong(
        'unsupported-call',
        `a call of ${isGlobal(callee) ? name : describeValue(callee)} with unusual arguments`,
      );
    }
    this.push(result, result instanceof Dict ? DICT_BYTES : VALUE_BYTES);
  }

  /** BUILD gives a state dict attributes, such as `_metadata`. They say nothing about tensors and are dropped. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    if (!(state instanceof Dict) || !(object instanceof Dict)) {
      this.wrong('unsupported-call', `the state of ${describeValue(object)}`);
    }
  }

  /** A storage: `('storage', type, key, location, elements)`. */
  persistent(): void {
    const id = this.pop();
    const [kind, type, key, , size] = id instanceof Tuple ? id.items : [];
    const dtype = isGlobal(type) ? type.dtype : undefined;
    if (kind !== 'storage' || !dtype || (id as Tuple).items.length !== 5) {
      this.wrong('invalid-pickle', `the persistent id ${describeValue(id)} that names no storage`);
    }
    this.push(new Storage(dtype, key, size), VALUE_BYTES);
  }

  frame(): void {
    const size = this.unsigned(8);
    // to be complete; nothing is passed over
    if (this.#at + size > this.#bytes.length) this.advance(size);
  }

  protocol(): void {
    const version = this.unsigned(1);
    if (version > MAX_PROTOCOL) this.wrong('unsupported-protocol', `protocol ${version}, above ${MAX_PROTOCOL},`);
  }

  /** `back`: from the current byte to the one meant. */
  wrong(code: string, found: string, back = 0): never {
    refuse(code, 'data.pkl', `data.pkl has ${found} (${this.#where(back)})`, 'the pickle of a state dict', found);
  }

  #where(back = 0): string {
    return `at byte ${this.#at + back} of data.pkl`;
  }
}

function isGlobal(value: unknown): value is Global {
  return GLOBALS.get((value as Partial<Global> | null)?.name ?? '') === value && value !== undefined;
}

export const MAX_PROTOCOL = 5;

/** What a checkpoint can be written with, by the byte. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map<number, Opcode>(
  (
    [
      ['(', 'MARK', (m) => m.mark()],
      ['0', 'POP', (m) => m.popOrMark()],
      ['1', 'POP_MARK', (m) => void m.popToMark()],
      ['2', 'DUP', (m) => m.push(m.top())],
      ['.', 'STOP', (m) => m.stop()],
      ['\x80', 'PROTO', (m) => m.protocol()],
      ['\x95', 'FRAME', (m) => m.frame()],
      ['N', 'NONE', (m) => m.push(null)],
      ['\x88', 'NEWTRUE', (m) => m.push(true)],
      ['\x89', 'NEWFALSE', (m) => m.push(false)],
      ['I', 'INT', (m) => m.push(m.decimal(m.line()))],
      ['L', 'LONG', (m) => m.push(m.decimal(m.line().replace(/L$/, '')))],
      ['J', 'BININT', (m) => m.push(m.int32())],
      ['K', 'BININT1', (m) => m.push(m.unsigned(1))],
      ['M', 'BININT2', (m) => m.push(m.unsigned(2))],
      ['\x8a', 'LONG1', (m) => m.push(m.long(m.unsigned(1)))],
      ['\x8b', 'LONG4', (m) => m.push(m.long(m.unsigned(4)))],
      ['G', 'BINFLOAT', (m) => m.opaque(8, 'a float')],
      ['X', 'BINUNICODE', (m) => m.push(m.string(m.unsigned(4)))],
      ['\x8c', 'SHORT_BINUNICODE', (m) => m.push(m.string(m.unsigned(1)))],
      ['\x8d', 'BINUNICODE8', (m) => m.push(m.string(m.unsigned(8)))],
      ['B', 'BINBYTES', (m) => m.opaque(m.unsigned(4), 'bytes')],
      ['C', 'SHORT_BINBYTES', (m) => m.opaque(m.unsigned(1), 'bytes')],
      ['\x8e', 'BINBYTES8', (m) => m.opaque(m.unsigned(8), 'bytes')],
      ['\x96', 'BYTEARRAY8', (m) => m.opaque(m.unsigned(8), 'bytes')],
      [')', 'EMPTY_TUPLE', (m) => m.tuple([])],
      ['\x85', 'TUPLE1', (m) => m.popTuple(1)],
      ['\x86', 'TUPLE2', (m) => m.popTuple(2)],
      ['\x87', 'TUPLE3', (m) => m.popTuple(3)],
      ['t', 'TUPLE', (m) => m.tuple(m.popToMark())],
      [']', 'EMPTY_LIST', (m) => m.push(new Opaque('a list'), VALUE_BYTES)],
      [
        'a',
        'APPEND',
        (m) => {
          m.pop();
          m.append();
        },
      ],
      [
        'e',
        'APPENDS',
        (m) => {
          m.popToMark();
          m.append();
        },
      ],
      ['}', 'EMPTY_DICT', (m) => m.push(new Dict(), DICT_BYTES)],
      [
        's',
        'SETITEM',
        (m) => {
          const value = m.pop();
          m.setItems([m.pop(), value]);
        },
      ],
      ['u', 'SETITEMS', (m) => m.setItems(m.popToMark())],
      ['q', 'BINPUT', (m) => m.store(m.unsigned(1))],
      ['r', 'LONG_BINPUT', (m) => m.store(m.unsigned(4))],
      ['\x94', 'MEMOIZE', (m) => m.memoize()],
      ['h', 'BINGET', (m) => m.recall(m.unsigned(1))],
      ['j', 'LONG_BINGET', (m) => m.recall(m.unsigned(4))],
      ['c', 'GLOBAL', (m) => m.global(m.line(), m.line())],
      [
        '\x93',
        'STACK_GLOBAL',
        (m) => {
          const name = m.pop();
          m.global(m.pop(), name);
        },
      ],
      ['R', 'REDUCE', (m) => m.reduce()],
      ['b', 'BUILD', (m) => m.build()],
      ['Q', 'BINPERSID', (m) => m.persistent()],
    ] as [string, string, Opcode['run']][]
  ).map(([char, name, run]) => [char.charCodeAt(0), { name, run }]),
);

/** Names of opcodes that are refused, for the message. */
const OTHER_OPCODES: ReadonlyMap<number, string> = new Map(
  (
    [
      ['i', 'INST'],
      ['o', 'OBJ'],
      ['\x81', 'NEWOBJ'],
      ['\x92', 'NEWOBJ_EX'],
      ['\x82', 'EXT1'],
      ['\x83', 'EXT2'],
      ['\x84', 'EXT4'],
      ['P', 'PERSID'],
      ['\x8f', 'EMPTY_SET'],
      ['\x90', 'ADDITEMS'],
      ['\x91', 'FROZENSET'],
      ['\x97', 'NEXT_BUFFER'],
      ['\x98', 'READONLY_BUFFER'],
      ['S', 'STRING'],
      ['T', 'BINSTRING'],
      ['U', 'SHORT_BINSTRING'],
      ['V', 'UNICODE'],
      ['F', 'FLOAT'],
      ['l', 'LIST'],
      ['d', 'DICT'],
      ['p', 'PUT'],
      ['g', 'GET'],
    ] as [string, string][]
  ).map(([char, name]) => [char.charCodeAt(0), name]),
);
