import { describe } from '../base/tensor.ts';
import { type Activation, activation, applyActivation, prepare, SPARE_BYTES } from '../cells/activations.ts';
import { copyFloats } from '../memory/rows.ts';
import type { Lower } from '../operators/node.ts';
import type { Config } from './config.ts';
import type { KerasGraph } from './graph.ts';
import type { Dialect } from './plan.ts';

const LINEAR = activation('linear');

/** The activations of https://keras.io/api/layers/activations/ by their names in a file; hard_sigmoid has two definitions. */
export const KERAS_ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ['linear', LINEAR],
  ['tanh', activation('tanh')],
  ['sigmoid', activation('sigmoid')],
  ['relu', activation('relu')],
  ['softmax', activation('softmax')],
  ['hard_sigmoid', activation('hardSigmoid', 1 / 6, 0.5)],
  ['relu6', activation('relu6')],
  ['leaky_relu', activation('leakyRelu', 0.2)],
  ['elu', activation('elu', 1)],
  ['selu', activation('selu')],
  ['exponential', activation('exponential')],
  ['softplus', activation('softplus')],
  ['softsign', activation('softsign')],
  ['silu', activation('silu')],
  ['swish', activation('silu')],
  ['hard_silu', activation('hardSilu')],
  ['hard_swish', activation('hardSilu')],
  ['mish', activation('mish')],
  ['gelu', activation('gelu')],
  ['gelu_new', activation('geluTanh')],
  ['log_softmax', activation('logSoftmax')],
]);

/** hard_sigmoid of Keras 2 and of TensorFlow.js */
const HARD_SIGMOID_2 = activation('hardSigmoid', 0.2, 0.5);

/** Reads the name of the activation at `config`; linear if `config` has no value. */
function activationName(config: Config): string {
  if (!config.given) return 'linear';
  if (typeof config.value === 'string') return config.value;
  // the form in which Keras 3 writes functions
  const className = config.get('class_name').value;
  const name = config.get('config').value;
  if (className === 'function' && typeof name === 'string') return name;
  return typeof className === 'string' ? className : describe(config.value);
}

/** Reads the activation at `config`; notes one that is not supported. */
export function readActivation(config: Config, who: string, dialect: Dialect): Activation {
  const name = activationName(config);
  const known = KERAS_ACTIVATIONS.get(name);
  if (!known) dialect.unsupported(`activation ${describe(name)} of ${who}`);
  const found = name === 'hard_sigmoid' && !dialect.keras3 ? HARD_SIGMOID_2 : (known ?? LINEAR);
  // so that a runtime that forbids compiling bytes refuses the model when it is loaded
  prepare(found);
  return found;
}

/** Applies a function to a value; the softmaxes go over the last axis. */
export function activated(graph: KerasGraph, slot: number, f: Activation): number {
  if (f.kind === LINEAR.kind) return slot;
  const { path } = graph;
  const lower: Lower = ([value], plan) => {
    const x = plan.plain(value!);
    const out = plan.make('float32', x.dims, path);
    const size = x.dims.at(-1) ?? 1;
    const { count } = x;
    if (count === 0) return [out];
    plan.kernel([x], [out, plan.scratch(SPARE_BYTES / 4)], (from, to, spare) => () => {
      copyFloats(to, from, count);
      applyActivation(f, to, count / size, size, spare);
    });
    return [out];
  };
  return graph.step([slot], lower)[0]!;
}
