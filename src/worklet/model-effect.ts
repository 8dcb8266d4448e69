import { AudioModel } from '../audio/model.ts';
import type { DenseParts, RecurrentParts, StageParts } from '../audio/stages.ts';
import { ModelError } from '../base/errors.ts';
import { checkBoolean, checkFloats, checkInteger, tag, wrongType } from '../base/tensor.ts';
import { type Activation, prepare } from '../cells/activations.ts';
import { useKernels } from '../cells/kernels.ts';
import { attach, givenModules, isModuleWith, wrongModule } from '../memory/wasm.ts';
import type { Effect } from './effect.ts';
import { type SentParts, WHO } from './messages.ts';

const MAX_STAGES = 10_000;
/** Activations are numbered from 0 to this. */
const LAST_ACTIVATION = 23;

/** Makes an effect from the parts of a model, which a message holds and so nobody has checked here. */
export function makeModelEffect(model: unknown): Effect {
  if (tag(model) !== 'Object') throw wrongType(WHO, 'model', 'the parts of a model', model);
  const { stages, skip, sampleRate, kernels, gru } = model as Partial<SentParts>;
  if (!Array.isArray(stages)) throw wrongType(WHO, 'model.stages', 'an array', stages);
  checkInteger(WHO, 'model.stages.length', stages.length, 1, MAX_STAGES);
  checkBoolean(WHO, 'model.skip', skip);
  if (sampleRate !== undefined && typeof sampleRate !== 'number') {
    throw wrongType(WHO, 'model.sampleRate', 'a rate in Hz', sampleRate);
  }
  if (kernels !== undefined) useKernels(WHO, { kernels });
  if (gru !== undefined) useGRU(gru);
  const parts = Array.from(stages, readStage);
  checkChain(parts);
  return new AudioModel({ who: WHO, sampleRate, skip: skip as boolean, stages: parts });
}

/** Takes the compiled lstm-gru.wasm. The first stays. */
function useGRU(module: unknown): void {
  if (!isModuleWith('cells_run', module)) throw wrongModule('gru', module, WHO);
  if (givenModules.gru) return;
  attach('gru', module, WHO);
  givenModules.gru = module;
}

function readStage(stage: StageParts, i: number): StageParts {
  const what = `model.stages[${i}]`;
  const kind = Object(stage).kind;
  if (kind === 'lstm' || kind === 'gru') {
    const { stateDict, start } = stage as RecurrentParts;
    if (tag(stateDict) !== 'Map') throw wrongType(WHO, `${what}.stateDict`, 'a Map of tensors', stateDict);
    return { kind, stateDict, start };
  }
  if (kind !== 'dense') throw wrongType(WHO, `${what}.kind`, '"lstm", "gru" or "dense"', kind);
  const { weight, bias, activation } = stage as DenseParts;
  checkFloats(WHO, `${what}.weight`, weight);
  checkFloats(WHO, `${what}.bias`, bias);
  checkInteger(WHO, `${what}.bias.length`, bias.length, 1);
  checkInteger(WHO, `${what}.weight.length / bias.length`, weight.length / bias.length, 1);
  return { kind, weight, bias, activation: activation && readActivation(`${what}.activation`, activation) };
}

function readActivation(what: string, { kind, alpha, beta }: Activation): Activation {
  checkInteger(WHO, `${what}.kind`, kind, 0, LAST_ACTIVATION);
  for (const value of [alpha, beta]) {
    if (typeof value !== 'number') throw wrongType(WHO, what, 'numbers', value);
  }
  const read = { kind, alpha, beta };
  prepare(read);
  return read;
}

/** The inputs and outputs of a stage, as its weights tell; fromStateDict() of LSTM and GRU checks them. */
function sizesOf(stage: StageParts): [inputs: unknown, outputs: unknown] {
  if (stage.kind === 'dense') return [stage.weight.length / stage.bias.length, stage.bias.length];
  const column = (name: string) => Object(Object(stage.stateDict.get(name)).dims)[1];
  return [column('weight_ih_l0'), column('weight_hh_l0')];
}

function checkChain(stages: readonly StageParts[]): void {
  let before: unknown;
  for (const [i, stage] of stages.entries()) {
    const [inputs, outputs] = sizesOf(stage);
    if (i > 0 && inputs !== before) refuse(i, `${before} inputs, the outputs of the layer before it`, inputs);
    before = outputs;
  }
  if (before !== 1) refuse(stages.length - 1, '1 output, since it is the last', before);
}

function refuse(i: number, expected: string, found: unknown): never {
  const path = `stages[${i}]`;
  const message = `${WHO}: "${path}" expected ${expected}, got ${found}`;
  throw new ModelError(message, { code: 'size-mismatch', path, expected, found });
}
