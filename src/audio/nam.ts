import { describe } from '../base/tensor.ts';
import type { Field } from './field.ts';
import type { AudioModelParts } from './model.ts';
import { planNamLstm } from './nam-lstm.ts';
import { checkChain, type StagePlan } from './plans.ts';
import { readSampleRate } from './sample-rate.ts';

export const NAM_ARCHITECTURES = ['LSTM', 'Sequential', 'sequential', 'SlimmableContainer'] as const;
/** Matches versions from 0.5.0 on, of major version 0. */
export const NAM_VERSION = /^0\.([5-9]|[1-9]\d+)\.\d+/;

/** Models in one another: no file needs more, and an object of the caller may contain itself. */
const MAX_DEPTH = 8;
/** Architectures of NAM that are not recurrent, by the name in the file. */
const CONVOLUTIONS = /^(WaveNet|ConvNet|Linear|SlimmableWaveNet|PackedWaveNet)$/;

/** The stages of a model and of those in it, in the order of the signal. */
interface NamModel {
  readonly sampleRate: number | undefined;
  readonly plans: readonly StagePlan[];
}

/**
 * Reads a model of Neural Amp Modeler: https://neural-amp-modeler.readthedocs.io/en/latest/model-file.html, an LSTM or a container
 * of LSTMs as NeuralAmpModelerCore reads it. A Sequential has `models` or `layers`, each fed by the one before it. A
 * SlimmableContainer has `submodels` of rising size, one of which plays: the last, the full size, which is Core's default too.
 */
export function readNam(who: string, file: Field): AudioModelParts {
  const { sampleRate, plans } = readModel(file, 1);
  checkChain(plans);
  return { who, sampleRate, stages: plans.map(({ parts }) => parts), skip: false };
}

function readModel(model: Field, depth: number): NamModel {
  if (depth > MAX_DEPTH) model.refuse('too-deep', `at most ${MAX_DEPTH} models in one another`, 'more');
  const architecture = model.get('architecture');
  const name = architecture.oneOf(NAM_ARCHITECTURES, noteOn(architecture.value));
  // models in a container may have none
  if (depth === 1 || model.has('version')) checkVersion(model.get('version'));
  const sampleRate = readSampleRate(model);
  if (name === 'LSTM') return { sampleRate, plans: planNamLstm(model) };
  if (name === 'SlimmableContainer') return readContainer(model, sampleRate, depth);
  return readSequential(model, sampleRate, depth);
}

function noteOn(architecture: unknown): string {
  if (typeof architecture !== 'string') return '';
  const kind = CONVOLUTIONS.test(architecture) ? `: a ${architecture} has convolutions` : ': this is another kind';
  return `${kind}, and only LSTMs are read`;
}

function checkVersion(version: Field): void {
  if (!NAM_VERSION.test(version.string())) version.refuse('unsupported', 'a version from 0.5.0 below 1', version.value);
}

function readSequential(model: Field, sampleRate: number | undefined, depth: number): NamModel {
  const config = model.get('config');
  if (config.has('weights_version')) config.get('weights_version').oneOf([2]);
  if (model.has('weights') && model.get('weights').length > 0) {
    const weights = model.get('weights');
    weights.refuse('unsupported', 'no numbers, since each model has its own', `${weights.length} numbers`);
  }
  const models = elements(config.get(config.has('models') ? 'models' : 'layers')).map((entry) => {
    return readModel(entry.has('model') ? entry.get('model') : entry, depth + 1);
  });
  return {
    sampleRate: oneRate(model, [sampleRate, ...models.map((part) => part.sampleRate)]),
    plans: models.flatMap(({ plans }) => plans),
  };
}

function readContainer(model: Field, sampleRate: number | undefined, depth: number): NamModel {
  const submodels = elements(model.get('config').get('submodels'));
  let reached = Number.NEGATIVE_INFINITY;
  for (const entry of submodels) {
    const { value } = entry.get('max_value');
    if (typeof value !== 'number' || !(value > reached)) {
      return entry
        .get('max_value')
        .refuse('wrong-value', 'a number above that of the submodel before it', describe(value));
    }
    reached = value;
  }
  const last = submodels.at(-1)!;
  if (!(reached >= 1)) last.get('max_value').refuse('wrong-value', 'at least 1 for the last submodel', reached);
  const rates = submodels.map((entry) => readSampleRate(entry.get('model')));
  const full = readModel(last.get('model'), depth + 1);
  return { sampleRate: oneRate(model, [sampleRate, ...rates, full.sampleRate]), plans: full.plans };
}

/** Gives the elements of an array that has some. */
function elements(list: Field): Field[] {
  if (list.length === 0) list.refuse('wrong-length', 'models', 'none');
  return list.items();
}

/** Gives the one rate of those that are known. */
function oneRate(model: Field, rates: readonly (number | undefined)[]): number | undefined {
  const known = [...new Set(rates.filter((rate) => rate !== undefined))];
  if (known.length > 1) model.refuse('unsupported', 'models of one sample rate', known.slice(0, 4).join(' and '));
  return known[0];
}
