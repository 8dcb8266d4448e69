import { type AnyTensor, LSTM, LSTMCell, type TensorLike } from '../../index.ts';
import { CliError, messageOf } from '../errors.ts';
import { optionsOf } from '../lstm-options.ts';
import type { FoundLstm, Head, Model, Problem, RunChoices } from '../model.ts';
import { formatDims, product, shorten } from '../text.ts';
import { bytesTaken, Heads, makeLstm, makeLstmRunner } from './lstm-runner.ts';

// Files of tensors by name: the weights of modules, without the code that says how they are connected.

/** A tensor as the file has it. */
export interface FiledTensor {
  readonly dtype: string;
  readonly dims: readonly number[];
}

/** The states that `convert` writes of a model which does not start with zeros. */
export const INITIAL = 'initial_state.';

/** The name of a module whose keys have no prefix. */
const WHOLE = '(no prefix)';

/** Keys by the prefix of their module: what stands before the name of a parameter, with the dot. */
type Modules = ReadonlyMap<string, readonly string[]>;

function groupByModule(names: Iterable<string>): Modules {
  const modules = new Map<string, string[]>();
  for (const name of names) {
    const prefix = name.slice(0, name.lastIndexOf('.') + 1);
    const list = modules.get(prefix) ?? [];
    list.push(name);
    modules.set(prefix, list);
  }
  return modules;
}

/** Names a module in messages and listings: `encoder.lstm.` is encoder.lstm. */
export function nameOfPrefix(prefix: string): string {
  return prefix.replace(/\.$/, '') || WHOLE;
}

/** Gives the prefix that a module's keys have in a file. */
export function prefixOf(name: string): string {
  return name === WHOLE ? '' : `${name}.`;
}

/** Reads tensors by their names. */
export type ReadTensors = (names: readonly string[]) => Promise<ReadonlyMap<string, AnyTensor>>;

/** Makes a Model of tensors. @param filed every tensor's type and dims */
export async function stateDictModel(
  format: string,
  facts: Model['facts'],
  filed: ReadonlyMap<string, FiledTensor>,
  read: ReadTensors,
): Promise<Model> {
  const taken = new Set<string>();
  const readUnder = async (prefix: string, names: readonly string[]) => {
    for (const name of names) taken.add(name);
    const tensors = await read(names);
    return new Map(names.map((name) => [name.slice(prefix.length), tensors.get(name)!]));
  };
  const lstms: FoundLstm[] = [];
  const modules = groupByModule(filed.keys());
  for (const [prefix, names] of modules) {
    const isCell = !names.includes(`${prefix}weight_ih_l0`);
    if (isCell && !names.includes(`${prefix}weight_ih`)) continue;
    // beside a bare LSTM, a head has no prefix either
    const own = prefix === '' ? names.filter((name) => /^(weight|bias)_/.test(name)) : names;
    lstms.push(describeLstm(nameOfPrefix(prefix), isCell, await readUnder(prefix, own)));
  }
  const initial = await readUnder(INITIAL, modules.get(INITIAL) ?? []);
  const [h0, c0] = ['h0', 'c0'].map((name) => initial.get(name) as TensorLike | undefined);
  if (lstms.length === 1 && h0 && c0) lstms[0] = { ...lstms[0]!, initialState: { h0, c0 } };
  const heads: Head[] = [];
  for (const { prefix, names } of findHeads(filed, modules, taken, lstms)) {
    heads.push(describeHead(nameOfPrefix(prefix), await readUnder(prefix, names)));
  }
  const others = [...filed.keys()].filter((name) => !taken.has(name));
  const problem = findProblem(filed, lstms);
  return {
    format,
    facts,
    lstms,
    details: { tensors: [...filed].map(([name, { dtype, dims }]) => ({ name, type: dtype, dims })) },
    listings: [
      {
        title: 'Tensors',
        columns: [{ title: 'name' }, { title: 'type' }, { title: 'shape' }],
        rows: [...filed].map(([name, { dtype, dims }]) => [name, dtype, formatDims(dims)]),
      },
    ],
    parameters: [...filed.values()].reduce((sum, { dims }) => sum + product(dims), 0),
    problem,
    memory: () => {
      const usable = lstms.filter(({ weights }) => weights);
      return (
        usable.reduce((sum, lstm) => sum + bytesTaken(() => makeLstm(lstm)), 0) + bytesTaken(() => new Heads(heads))
      );
    },
    runner: (choices) => {
      if (problem && lstms.every(({ weights }) => !weights)) throw new CliError(problem.message);
      const lstm = chooseLstm(lstms, choices);
      return makeLstmRunner(lstm, chooseHeads(lstm, heads, others, choices), choices);
    },
    chain: async () => {
      if (problem) throw new CliError(problem.message);
      const rest = [...others, ...(initial.size > 0 ? [...initial.keys()].map((key) => INITIAL + key) : [])];
      return { lstms, heads, others: await read(rest), answers: undefined };
    },
  };
}

function describeLstm(name: string, isCell: boolean, weights: ReadonlyMap<string, AnyTensor>): FoundLstm {
  try {
    const lstm = isCell ? LSTMCell.fromStateDict(weights) : LSTM.fromStateDict(weights);
    const options = optionsOf(lstm);
    lstm.dispose();
    const int8 = [...weights.keys()].some((key) => key.endsWith('_scale'));
    return { name, isCell, weights, options: int8 ? { ...options, weights: 'int8' } : options };
  } catch (error) {
    return { name, isCell, weights: undefined, why: messageOf(error), options: {} };
  }
}

/**
 * Finds linear layers: a weight (out, in) and a bias (out) of one name, or a weight alone that takes the output of an LSTM and not
 * its input, which is that of an Embedding.
 */
function findHeads(
  filed: ReadonlyMap<string, FiledTensor>,
  modules: Modules,
  taken: ReadonlySet<string>,
  lstms: readonly FoundLstm[],
): { readonly prefix: string; readonly names: readonly string[] }[] {
  return [...filed].flatMap(([name, { dims }]) => {
    if (!/(^|\.)weight$/.test(name) || taken.has(name) || dims.length !== 2) return [];
    const prefix = name.slice(0, -'weight'.length);
    const bias = filed.get(`${prefix}bias`);
    const fits = bias ? bias.dims.length === 1 && bias.dims[0] === dims[0] : false;
    const alone = !bias && lstms.some((lstm) => outputSize(lstm) === dims[1] && lstm.options.inputSize !== dims[1]);
    const names = modules.get(prefix)!.filter((key) => !taken.has(key));
    return fits || alone ? [{ prefix, names }] : [];
  });
}

function describeHead(name: string, weights: ReadonlyMap<string, AnyTensor>): Head {
  const [outFeatures, inFeatures] = weights.get('weight')!.dims as [number, number];
  return { name, weights, inFeatures, outFeatures };
}

function findProblem(filed: ReadonlyMap<string, FiledTensor>, lstms: readonly FoundLstm[]): Problem | undefined {
  const bad = lstms.find(({ why }) => why !== undefined);
  if (bad) return { message: bad.why!, isBad: !/ not supported\b/.test(bad.why!) };
  if (lstms.length > 0) return undefined;
  if (filed.size === 0) return { message: 'it has no tensors', isBad: true };
  const names = [...filed.keys()].slice(0, 3).map((name) => JSON.stringify(shorten(name, 60)));
  const more = filed.size > 3 ? ', …' : '';
  const message = `it has no LSTM: no key ends with weight_ih_l0 or weight_ih, the first are ${names.join(', ')}${more}`;
  return { message, isBad: true };
}

/** Finds the LSTM that a person named, or the only one. */
function chooseLstm(lstms: readonly FoundLstm[], { lstm: wanted }: RunChoices): FoundLstm {
  const names = lstms.map(({ name }) => JSON.stringify(name)).join(', ');
  const found = wanted === undefined ? lstms[0] : lstms.find(({ name }) => name === wanted);
  if (!found) throw new CliError(`no LSTM is named ${JSON.stringify(wanted)}: there is ${names}`);
  if (wanted === undefined && lstms.length > 1) {
    const reason = `it has ${lstms.length} LSTMs, and a state dict does not say how they are connected`;
    throw new CliError(`${reason}: choose one with --lstm: ${names}`);
  }
  if (!found.weights) throw new CliError(found.why!);
  return found;
}

/** The size of an LSTM's output. */
function outputSize({ options }: FoundLstm): number {
  return (Number(options.projSize) || Number(options.hiddenSize)) * (options.bidirectional ? 2 : 1);
}

/** Finds the linear layers to run behind an LSTM: those that are named, or the only one if it fits and nothing else is there. */
function chooseHeads(
  lstm: FoundLstm,
  heads: readonly Head[],
  others: readonly string[],
  { head, lstm: alone }: RunChoices,
): readonly Head[] {
  if (head === 'none') return [];
  const names = heads.map(({ name }) => JSON.stringify(name)).join(', ');
  if (head !== undefined) {
    return head.split(',').map((name) => {
      const found = heads.find((each) => each.name === name);
      if (!found) throw new CliError(`no linear layer is named ${JSON.stringify(name)}: there is ${names || 'none'}`);
      return found;
    });
  }
  if (alone !== undefined || heads.length + others.length === 0) return [];
  if (others.length > 0) {
    const first = JSON.stringify(shorten(others[0]!, 60));
    throw new CliError(
      `it has other tensors beside its LSTM, such as ${first}, and a state dict does not say what is done with them: --head none runs the LSTM alone`,
    );
  }
  if (heads.length === 1 && heads[0]!.inFeatures === outputSize(lstm)) return heads;
  throw new CliError(
    `a state dict does not say which linear layers follow the LSTM, nor what stands between them: choose with --head NAME,NAME of ${names}, or --head none`,
  );
}
