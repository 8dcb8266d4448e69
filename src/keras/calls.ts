import { tag } from '../base/tensor.ts';
import type { Config } from './config.ts';
import type { Call, OutputRef } from './connections.ts';

// The calls of layers in a functional model.

/** The most calls of a layer. */
const MAX_CALLS = 10_000;

/** Reads input_layers or output_layers: `["x", 0, 0]`, an array of these, or an object of them. */
export function readEnds(field: Config): OutputRef[] {
  const named = tag(field.value) === 'Object' && !field.isArray;
  const items = named ? Object.keys(field.value as object).map((key) => field.get(key)) : field.items();
  if (items.length === 0) field.refuse('wrong-value', 'at least one layer', 'none');
  const isOne = typeof items[0]!.value === 'string';
  return isOne ? [readSource(field)] : items.map((item) => readSource(item));
}

/** Reads an output of a layer: its name, the number of the call, the number of the output. */
function readSource(field: Config): OutputRef {
  const [named, call, index] = field.items();
  if (!named) field.refuse('wrong-value', 'the name of a layer and numbers', 'none');
  const number = call ? call.integer(0, MAX_CALLS) : 0;
  return { name: named.string(), call: number, index: index ? index.integer(0, 1000) : 0 };
}

/** Reads a call of a layer: Keras 2 lists its inputs, Keras 3 the arguments in Python. */
export function readCall(call: Config): Call {
  if (call.isArray) {
    const items = call.items();
    // a single input may stand without an array around it
    const list = typeof items[0]?.value === 'string' ? [call] : items;
    const calls = list.map((source): Call => {
      const options = source.items()[3];
      const kwargs = options?.given ? readKwargs(options) : undefined;
      return { ...kwargs, inputs: [readSource(source), ...(kwargs?.inputs ?? [])] };
    });
    const { masks, causal } = calls.find((one) => one.masks || one.causal) ?? {};
    return { inputs: calls.flatMap(({ inputs }) => inputs), masks: masks ?? [], causal: causal ?? false };
  }
  const args = call.get('args').items();
  const isTensor = ({ value }: Config) => typeof value === 'object' && value !== null;
  const found = args.filter(isTensor).flatMap((arg) => readTensors(arg, 0));
  const constants = args.filter((arg) => arg.given && !isTensor(arg));
  const kwargs = call.get('kwargs');
  const rest: Call = kwargs.given ? readKwargs(kwargs) : { inputs: [] };
  return { ...rest, inputs: [...found, ...rest.inputs], constants };
}

/** Arguments that change nothing where they are false. */
const SWITCHES = ['training', 'return_attention_scores', 'use_causal_mask'];

/** Reads the tensors `initial_state` and `mask`, and `use_causal_mask`. Other arguments are refused unless they change nothing. */
function readKwargs(kwargs: Config): Call {
  for (const key of Object.keys(kwargs.value as object)) {
    const { value } = kwargs.get(key);
    const known =
      ['initial_state', 'mask', 'use_causal_mask'].includes(key) || (SWITCHES.includes(key) && value === false);
    if (!known && value !== null && value !== undefined) {
      kwargs.get(key).refuse('unsupported', 'no argument but initial_state and mask');
    }
  }
  const states = kwargs.get('initial_state');
  const causal = kwargs.get('use_causal_mask').boolean(false);
  return {
    inputs: states.given ? readTensors(states, 0) : [],
    masks: readMasks(kwargs.get('mask')),
    causal,
  };
}

/** Reads one mask, or a list with null for inputs that have none. */
function readMasks(field: Config): (OutputRef | undefined)[] {
  if (!field.given) return [];
  const isList = field.isArray && typeof field.items()[0]?.value !== 'string';
  const items = isList ? field.items() : [field];
  return items.map((item) => {
    const masks = item.given ? readTensors(item, 0) : [];
    if (masks.length > 1) item.refuse('unsupported', 'one mask');
    return masks[0];
  });
}

function readTensors(field: Config, depth: number): OutputRef[] {
  if (depth > 3) field.refuse('unsupported', 'a tensor or a list of tensors');
  if (field.isArray) {
    const items = field.items();
    if (typeof items[0]?.value === 'string') return [readSource(field)];
    return items.flatMap((item) => readTensors(item, depth + 1));
  }
  if (field.get('class_name').value !== '__keras_tensor__') {
    field.refuse('unsupported', 'a tensor or a list of tensors');
  }
  return [readSource(field.get('config').get('keras_history'))];
}
