import type { Budget } from '../files/budget.ts';
import { OPCODES, OTHER_OPCODES } from './opcodes.ts';
import { PickleCursor } from './pickle-cursor.ts';
import { type PickleKind, PickleMachine } from './pickle-machine.ts';
import type { Foreign, Storage } from './values.ts';

/** The contents of a pickle. */
export interface Unpickled {
  readonly value: unknown;
  /** The first thing in it that is not loaded. */
  readonly foreign: Foreign | undefined;
  /** The storages of the format before torch 1.6, by key. */
  readonly storages: ReadonlyMap<unknown, Storage | Foreign>;
  /** The offset after its last byte. */
  readonly end: number;
}

/**
 * Reads the pickle at the beginning of `bytes`.
 * @param name what the bytes are, in messages
 * @throws ModelError
 */
export function unpickle(bytes: Uint8Array, budget: Budget, kind: PickleKind, name: string, begin = 0): Unpickled {
  const cursor: PickleCursor = new PickleCursor(bytes, budget, name, begin);
  const machine = new PickleMachine(cursor, kind);
  while (!machine.done) {
    const code = cursor.unsigned(1);
    const opcode = OPCODES.get(code);
    if (!opcode) {
      const shown = OTHER_OPCODES.get(code) ?? `0x${code.toString(16)}`;
      cursor.wrong('unsupported-opcode', `the opcode ${shown}, which a state dict does not need`, -1);
    }
    opcode.run(machine, cursor);
  }
  const value = machine.value();
  if (kind === 'zip' && !cursor.atEnd) cursor.wrong('invalid-pickle', 'something after its value');
  return { value, foreign: machine.foreign, storages: machine.storages, end: cursor.at };
}
