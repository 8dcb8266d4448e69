import type { RecurrentParts, StageParts } from '../audio/stages.ts';
import { ModelError } from '../base/errors.ts';
import { type AnyTensor, describe, isView, type StateDict, tag, wrongType } from '../base/tensor.ts';

/** Matches the names of the tensors of an nn.LSTM or nn.GRU, its 8-bit weights too. */
const OF_RECURRENT = /^(weight|bias)_(ih|hh|hr)_l\d+(_reverse)?(_scale)?$/;

/** A module of a state dict, and its sizes as its weights tell them. */
interface Module {
  readonly key: string;
  readonly inputs: unknown;
  readonly outputs: unknown;
  readonly parts: StageParts;
}

/** Tells whether `model` is a state dict of tensors: a Map, or an object whose values have data and dims. */
export function isStateDict(model: unknown): model is StateDict {
  if (tag(model) === 'Map') return true;
  const values = tag(model) === 'Object' ? Object.values(model as object) : [];
  return values.some((value) => ArrayBuffer.isView(Object(value).data) && Array.isArray(Object(value).dims));
}

/**
 * Reads nn.LSTMs, nn.GRUs and nn.Linears in the order of a state dict; linear layers that stand in front of their LSTM or GRU come
 * last if the sizes leave no other way. The weights of an LSTM or GRU are checked where it is made.
 * @throws ModelError that names the key
 */
export function readStateDict(who: string, dict: StateDict): StageParts[] {
  const entries =
    dict instanceof Map || tag(dict) === 'Map' ? [...(dict as Map<string, AnyTensor>)] : Object.entries(dict);
  const tensors = new Map(entries.map(([key, tensor]): [string, AnyTensor] => [String(key), copy(who, key, tensor)]));
  const known = new Set<string>();
  const modules: Module[] = [];
  for (const [key, { dims }] of tensors) {
    const module = prefixOf(key, 'weight_ih_l0');
    const linear = prefixOf(key, 'weight');
    if (module !== undefined) modules.push(recurrentOf(tensors, module, known));
    else if (linear !== undefined && dims.length === 2) modules.push(linearOf(who, tensors, linear, known));
  }
  const odd = [...tensors.keys()].find((key) => !known.has(key));
  if (odd !== undefined) {
    refuse(who, 'unexpected-key', odd, 'a tensor of an LSTM, a GRU or a Linear', 'another');
  }
  if (!modules.some(isRecurrent)) refuse(who, 'missing-field', '', 'the tensors of an LSTM or GRU', 'none');
  const ordered = isChain(modules)
    ? modules
    : [...modules.filter(isRecurrent), ...modules.filter((m) => !isRecurrent(m))];
  const second = ordered.find((module, i) => i > 0 && !isRecurrent(module) && !isRecurrent(ordered[i - 1]!));
  if (second) {
    const expected = 'an LSTM or GRU between two linear layers, since a state dict tells no activation between them';
    refuse(who, 'ambiguous', second.key, expected, 'none');
  }
  return ordered.map(({ parts }) => parts);
}

const isRecurrent = ({ parts }: Module) => parts.kind !== 'dense';

function isChain(modules: readonly Module[]): boolean {
  return modules.every(({ outputs }, i) => outputs === (modules[i + 1]?.inputs ?? 1));
}

/** Copies a tensor: a view would be sent with all of its buffer. */
function copy(who: string, key: string, tensor: unknown): AnyTensor {
  const { data, dims } = Object(tensor) as AnyTensor;
  if (!ArrayBuffer.isView(data) || tag(data) === 'DataView' || !Array.isArray(dims)) {
    throw wrongType(who, `model[${describe(key)}]`, 'a tensor { data, dims }', tensor);
  }
  return { data: data.slice(), dims: [...dims] } as AnyTensor;
}

/** Gives what a key has in front of a tensor's name: 'lstm.' or ''; undefined if it is another tensor. */
function prefixOf(key: string, name: string): string | undefined {
  const prefix = key.slice(0, Math.max(0, key.length - name.length));
  return prefix + name === key && (prefix === '' || prefix.endsWith('.')) ? prefix : undefined;
}

function recurrentOf(tensors: ReadonlyMap<string, AnyTensor>, prefix: string, known: Set<string>): Module {
  const own = new Map<string, AnyTensor>();
  for (const [key, tensor] of tensors) {
    const name = key.slice(prefix.length);
    if (!key.startsWith(prefix) || !OF_RECURRENT.test(name)) continue;
    known.add(key);
    own.set(name, tensor);
  }
  const column = (name: string) => own.get(name)?.dims[1];
  const [rows, H] = own.get('weight_hh_l0')?.dims ?? [];
  const parts = { kind: rows === 3 * H! ? 'gru' : 'lstm', stateDict: own as RecurrentParts['stateDict'] } as const;
  return { key: `${prefix}weight_ih_l0`, inputs: column('weight_ih_l0'), outputs: column('weight_hh_l0'), parts };
}

function linearOf(who: string, tensors: ReadonlyMap<string, AnyTensor>, prefix: string, known: Set<string>): Module {
  const read = (name: string, rank: number): AnyTensor | undefined => {
    const key = prefix + name;
    const tensor = tensors.get(key);
    if (!tensor) return undefined;
    known.add(key);
    const { data, dims } = tensor;
    if (!isView(data, Float32Array) && !isView(data, Float64Array)) {
      refuse(who, 'wrong-dtype', key, 'float32 or float64', tag(data));
    }
    if (dims.length !== rank || dims.reduce((a, b) => a * b, 1) !== data.length) {
      refuse(who, 'wrong-shape', key, `${rank} dims for ${data.length} elements`, describe(dims));
    }
    return tensor;
  };
  const { data, dims } = read('weight', 2)!;
  const [outputs, inputs] = dims as [number, number];
  const bias = read('bias', 1)?.data ?? new Float32Array(outputs);
  if (bias.length !== outputs) refuse(who, 'wrong-shape', `${prefix}bias`, `[${outputs}]`, `[${bias.length}]`);
  const floats = (array: AnyTensor['data']) => Float32Array.from(array as Float32Array);
  const parts = { kind: 'dense', weight: floats(data), bias: floats(bias) } as const;
  return { key: `${prefix}weight`, inputs, outputs, parts };
}

function refuse(who: string, code: string, path: string, expected: string, found: string): never {
  const what = path === '' ? 'the state dict' : describe(path);
  throw new ModelError(`${who}: ${what} expected ${expected}, got ${found}`, { code, path, expected, found });
}
