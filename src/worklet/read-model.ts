import { readAnyEffect } from '../audio/any.ts';
import type { StageParts } from '../audio/stages.ts';
import type { StateDict } from '../base/tensor.ts';
import type { SentParts } from './messages.ts';
import { isStateDict, readStateDict } from './state-dict.ts';

/**
 * A model that an LstmNode plays: the text of a file that `lstm-wasm/audio` reads, or the object that JSON.parse makes of it; or a
 * state dict of LSTMs, GRUs and Linears, as parseSafetensors() and parseCheckpoint() give it.
 */
export type LstmNodeModel = string | object | StateDict;

/** The last activation that lstm.wasm has; others are in lstm-onnx.wasm. */
const LAST_OF_MAIN = 5;

/** Reads a model, so that a wrong one is refused before anything is sent, and the audio thread reads no JSON. */
export async function readModel(who: string, model: unknown, sampleRate: number | undefined): Promise<SentParts> {
  const read = isStateDict(model)
    ? { stages: readStateDict(who, model), skip: false, sampleRate: undefined }
    : readAnyEffect(who, model);
  const { stages, skip } = read;
  return { stages, skip, sampleRate: sampleRate ?? read.sampleRate, ...(await compileFor(stages)) };
}

/** Compiles the modules that stages need beside lstm.wasm: the processor has no others. */
async function compileFor(stages: readonly StageParts[]): Promise<Pick<SentParts, 'kernels' | 'gru'>> {
  const kernels = stages.some(needsMore)
    ? { kernels: await import('./more-kernels.ts').then(({ compileMore }) => compileMore()) }
    : {};
  const gru = stages.some(({ kind }) => kind === 'gru')
    ? { gru: await import('./gru-kernels.ts').then(({ compileGRU }) => compileGRU()) }
    : {};
  return { ...kernels, ...gru };
}

/** Counts the inputs of a model beside the signal, if its weights tell. */
export function knobsOf({ stages }: SentParts): number {
  const first = stages[0]!;
  const inputs =
    first.kind === 'dense'
      ? first.weight.length / first.bias.length
      : Number(first.stateDict.get('weight_ih_l0')?.dims[1]);
  return inputs > 1 ? inputs - 1 : 0;
}

function needsMore(stage: StageParts): boolean {
  return stage.kind === 'dense' && (stage.activation?.kind ?? 0) > LAST_OF_MAIN;
}
