// The processor of an LstmNode: the build makes one file of it, for AudioWorklet.addModule().
import { wasm } from './memory/wasm.ts';
import { PROCESSOR } from './worklet/messages.ts';
import { makeModelEffect } from './worklet/model-effect.ts';
import { registerProcessors } from './worklet/register.ts';

try {
  // compiles now, when no node of this file plays yet
  wasm();
} catch {
  // told when a node is made, since the page would not get this message
}
// imported elsewhere, it does nothing
if ('registerProcessor' in globalThis) registerProcessors(PROCESSOR, makeModelEffect);
