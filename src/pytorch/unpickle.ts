import type { Budget } from '../files/budget.ts';
import { OPCODES, OTHER_OPCODES } from './opcodes.ts';
import { PickleCursor } from './pickle-cursor.ts';
import { PickleMachine } from './pickle-machine.ts';

/**
 * Reads the value of a pickle.
 * @throws ModelError
 */
export function unpickle(bytes: Uint8Array, budget: Budget): unknown {
  const cursor: PickleCursor = new PickleCursor(bytes, budget);
  const machine = new PickleMachine(cursor);
  while (!machine.done) {
    const code = cursor.unsigned(1);
    const opcode = OPCODES.get(code);
    if (!opcode) {
      const shown = OTHER_OPCODES.get(code) ?? `0x${code.toString(16)}`;
      cursor.wrong('unsupported-opcode', `the opcode ${shown}, which a state dict does not need`, -1);
    }
    opcode.run(machine, cursor);
  }
  return machine.value();
}
