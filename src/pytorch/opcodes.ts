import type { PickleCursor } from './pickle-cursor.ts';
import type { PickleMachine } from './pickle-machine.ts';
import { BYTES, FLOAT, SET } from './values.ts';

interface Opcode {
  readonly name: string;
  readonly run: (machine: PickleMachine, cursor: PickleCursor) => void;
}

/** The opcodes that a checkpoint may have, by their byte. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map<number, Opcode>(
  (
    [
      ['(', 'MARK', (m) => m.mark()],
      ['0', 'POP', (m) => m.popOrMark()],
      ['1', 'POP_MARK', (m) => void m.popToMark()],
      ['2', 'DUP', (m) => m.push(m.top())],
      ['.', 'STOP', (m) => m.stop()],
      ['\x80', 'PROTO', (_, c) => c.protocol()],
      ['\x95', 'FRAME', (_, c) => c.frame()],
      ['N', 'NONE', (m) => m.push(null)],
      ['\x88', 'NEWTRUE', (m) => m.push(true)],
      ['\x89', 'NEWFALSE', (m) => m.push(false)],
      ['I', 'INT', (m, c) => m.push(c.decimal(c.line()))],
      ['L', 'LONG', (m, c) => m.push(c.decimal(c.line().replace(/L$/, '')))],
      ['J', 'BININT', (m, c) => m.push(c.int32())],
      ['K', 'BININT1', (m, c) => m.push(c.unsigned(1))],
      ['M', 'BININT2', (m, c) => m.push(c.unsigned(2))],
      ['\x8a', 'LONG1', (m, c) => m.push(c.long(c.unsigned(1)))],
      ['\x8b', 'LONG4', (m, c) => m.push(c.long(c.unsigned(4)))],
      ['G', 'BINFLOAT', (m) => m.opaque(8, FLOAT)],
      ['X', 'BINUNICODE', (m, c) => m.push(c.string(c.unsigned(4)))],
      ['\x8c', 'SHORT_BINUNICODE', (m, c) => m.push(c.string(c.unsigned(1)))],
      ['\x8d', 'BINUNICODE8', (m, c) => m.push(c.string(c.unsigned(8)))],
      ['T', 'BINSTRING', (m, c) => m.push(c.oldString(c.unsigned(4)))],
      ['U', 'SHORT_BINSTRING', (m, c) => m.push(c.oldString(c.unsigned(1)))],
      ['B', 'BINBYTES', (m, c) => m.opaque(c.unsigned(4), BYTES)],
      ['C', 'SHORT_BINBYTES', (m, c) => m.opaque(c.unsigned(1), BYTES)],
      ['\x8e', 'BINBYTES8', (m, c) => m.opaque(c.unsigned(8), BYTES)],
      ['\x96', 'BYTEARRAY8', (m, c) => m.opaque(c.unsigned(8), BYTES)],
      [')', 'EMPTY_TUPLE', (m) => m.tuple([])],
      ['\x85', 'TUPLE1', (m) => m.popTuple(1)],
      ['\x86', 'TUPLE2', (m) => m.popTuple(2)],
      ['\x87', 'TUPLE3', (m) => m.popTuple(3)],
      ['t', 'TUPLE', (m) => m.tuple(m.popToMark())],
      [']', 'EMPTY_LIST', (m) => m.list()],
      [
        'a',
        'APPEND',
        (m) => {
          const item = m.pop();
          m.append([item]);
        },
      ],
      [
        'e',
        'APPENDS',
        (m) => {
          const items = m.popToMark();
          m.append(items);
        },
      ],
      ['\x8f', 'EMPTY_SET', (m) => m.push(SET)],
      [
        '\x90',
        'ADDITEMS',
        (m) => {
          m.popToMark();
          m.add();
        },
      ],
      [
        '\x91',
        'FROZENSET',
        (m) => {
          m.popToMark();
          m.push(SET);
        },
      ],
      ['}', 'EMPTY_DICT', (m) => m.dict()],
      [
        's',
        'SETITEM',
        (m) => {
          const value = m.pop();
          m.setItems([m.pop(), value]);
        },
      ],
      ['u', 'SETITEMS', (m) => m.setItems(m.popToMark())],
      ['q', 'BINPUT', (m, c) => m.store(c.unsigned(1))],
      ['r', 'LONG_BINPUT', (m, c) => m.store(c.unsigned(4))],
      ['\x94', 'MEMOIZE', (m) => m.memoize()],
      ['h', 'BINGET', (m, c) => m.recall(c.unsigned(1))],
      ['j', 'LONG_BINGET', (m, c) => m.recall(c.unsigned(4))],
      ['c', 'GLOBAL', (m) => m.globalOfLines()],
      [
        '\x93',
        'STACK_GLOBAL',
        (m) => {
          const name = m.pop();
          m.global(m.pop(), name);
        },
      ],
      ['R', 'REDUCE', (m) => m.reduce()],
      ['\x81', 'NEWOBJ', (m) => m.newObject(1)],
      ['\x92', 'NEWOBJ_EX', (m) => m.newObject(2)],
      ['b', 'BUILD', (m) => m.build()],
      ['Q', 'BINPERSID', (m) => m.persistent()],
    ] as [string, string, Opcode['run']][]
  ).map(([char, name, run]) => [char.charCodeAt(0), { name, run }]),
);

/** The names of all other opcodes by their byte, for messages. */
export const OTHER_OPCODES: ReadonlyMap<number, string> = new Map(
  (
    [
      ['i', 'INST'],
      ['o', 'OBJ'],
      ['\x82', 'EXT1'],
      ['\x83', 'EXT2'],
      ['\x84', 'EXT4'],
      ['P', 'PERSID'],
      ['\x97', 'NEXT_BUFFER'],
      ['\x98', 'READONLY_BUFFER'],
      ['S', 'STRING'],
      ['V', 'UNICODE'],
      ['F', 'FLOAT'],
      ['l', 'LIST'],
      ['d', 'DICT'],
      ['p', 'PUT'],
      ['g', 'GET'],
    ] as [string, string][]
  ).map(([char, name]) => [char.charCodeAt(0), name]),
);
