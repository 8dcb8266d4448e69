import type { KerasModel, KerasSource } from 'lstm-wasm/keras';
import type { FoundLstm, Model } from '../../../../../src/cli/model.ts';
import { makeLstm } from '../../../../../src/cli/models/lstm-runner.ts';
import type { OpenedModel } from './open.ts';
import { type Plan, planPorts } from './ports.ts';
import { saidOf, vectorText } from './said.ts';
import { randomNumbers, type Sequence } from './sequence.ts';
import { mostSteps, type Outcome, type Subject, takesOf } from './subject.ts';
import { largestDifference, TraceLog } from './traces.ts';

/** Makes a model of Keras ready. @param words ids of its Embedding, if it begins with one */
export async function kerasSubject(opened: OpenedModel, words: number | undefined): Promise<Subject> {
  const { loadKeras } = await import('lstm-wasm/keras');
  const model = loadKeras(sourceOf(opened));
  const type = words ? 'int32' : 'float32';
  const ports = model.inputs.map(({ name, dims }) => ({
    name,
    type,
    dims: dims.map((size, axis) => (axis ? size : 'batch')),
  }));
  const plan = planPorts(ports, [], undefined);
  const units = opened.model.lstms.reduce((sum, { options }) => sum + Number(options.units ?? 0) * 2, 0);
  const need = {
    kind: plan.isIds ? 'ids' : 'rows',
    width: plan.width,
    ...(words ? { words } : {}),
    fixed: plan.fixed,
    most: Math.min(4096, mostSteps(units)),
  } as const;
  const runs = plan.isIds ? {} : await runsOf(opened.model, plan.width);
  return { need, takes: takesOf(need), ...runs, run: async (sequence) => runKeras(model, plan, sequence, words) };
}

/**
 * Runs that show what 8 bits change, which the package has for LSTMs and linear layers: of the whole model if it is made of those, else of
 * its first LSTM if that takes the input.
 */
async function runsOf(model: Model, width: number): Promise<Partial<Subject>> {
  const { lineRuns } = await import('./run-chain.ts');
  const chain = await model.chain().catch(() => undefined);
  if (chain?.lstms.length && inputsOf(chain.lstms[0]!) === width) return lineRuns(chain.lstms, chain.heads);
  const { layers = [] } = model.details as { layers?: readonly { readonly name: string; readonly layer: string }[] };
  const first = layers.find(({ layer }) => layer !== 'InputLayer')?.name;
  const lstm = model.lstms.find(({ name, weights }) => name === first && weights);
  if (!lstm || inputsOf(lstm) !== width) return {};
  return { ...lineRuns([lstm], []), scope: ' in its first LSTM' };
}

/** Numbers a step that an LSTM takes. */
function inputsOf(found: FoundLstm): number {
  const lstm = makeLstm(found);
  lstm.dispose();
  return lstm.inputSize;
}

/** The files of a model, as lstm-wasm/keras takes them. */
function sourceOf({ main, beside, model, name }: OpenedModel): KerasSource {
  const h5 = [...beside].find(([other]) => /\.(h5|hdf5)$/i.test(other))?.[1];
  const text = () => new TextDecoder().decode(main!);
  if (model.format.startsWith('TensorFlow.js')) return { modelJson: text(), weights: weightsFor(text(), beside) };
  if (model.format === 'Keras (JSON and .h5)') return { modelJson: text(), h5: h5! };
  return /\.h5/.test(model.format) || /\.(h5|hdf5)$/i.test(name) ? { h5: main! } : { keras: main! };
}

function weightsFor(text: string, beside: OpenedModel['beside']): Map<string, Uint8Array<ArrayBuffer>> {
  const { weightsManifest } = JSON.parse(text) as { weightsManifest: readonly { readonly paths: readonly string[] }[] };
  const paths = weightsManifest.flatMap((group) => group.paths);
  return new Map(paths.map((path) => [path, beside.get(path) ?? beside.get(path.slice(path.lastIndexOf('/') + 1))!]));
}

function runKeras(model: KerasModel, plan: Plan, { data, steps, width }: Sequence, words: number | undefined): Outcome {
  const next = randomNumbers(1);
  const notes: string[] = [];
  const inputs = model.inputs.map(({ name, dims }) => {
    if (name === plan.main.name) return { data: plan.isIds ? Int32Array.from(data) : data, dims: plan.sizes(steps) };
    if (!notes.length) notes.push('Its other inputs get random numbers.');
    const sizes = dims.map((size, axis) => (axis === 0 ? 1 : (size ?? (axis === 1 ? steps : width))));
    const count = sizes.reduce((product, size) => product * size, 1);
    // an input whose use is not known may be of ids: integers that all embeddings know are right for any
    const value = words ? () => Math.floor(next() * words) : () => 2 * next() - 1;
    return { data: Float32Array.from({ length: count }, value), dims: sizes };
  });
  model.resetStates();
  const start = performance.now();
  const results = model.predict(inputs);
  const seconds = (performance.now() - start) / 1000;
  model.resetStates();
  const { outputs, nodes } = model.trace(inputs);
  const log = new TraceLog();
  for (const [name, layer] of Object.entries(nodes)) log.add(name, 0, 1, layer);
  const named = results.map(({ data: values, dims }, k) => ({ name: model.outputs[k]!.name, data: values, dims }));
  const said = saidOf(named, steps);
  return {
    ...{ seconds, steps, log, said, notes },
    answer: said ? undefined : `${named[0]!.name}: ${vectorText(named[0]!.data)}`,
    difference: Math.max(0, ...results.map((result, k) => largestDifference(result.data, outputs[k]!.data))),
    compared: 'every number of the outputs',
  };
}
