import { describe } from '../base/tensor.ts';
import type { Activation } from '../cells/activations.ts';
import { readActivation } from './activations.ts';
import { Config } from './config.ts';
import type { Dialect } from './plan.ts';

/** The options of keras.layers.LSTM that change its results. */
export interface LstmConfig {
  readonly units: number;
  readonly useBias: boolean;
  /** The activation of the cell's input and of its state. */
  readonly activation: Activation;
  /** The activation of the gates. */
  readonly recurrentActivation: Activation;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  readonly stateful: boolean;
  /** Whether the output at a masked step is zeros; else it repeats the output of the step before. */
  readonly zeroMasked: boolean;
  /** Whether masked steps at the beginning give the initial state, as in TensorFlow.js; else they give zeros. */
  readonly startsWithState: boolean;
  /** Whether the input's own mask counts when the model gives an initial state; Keras 3 then takes only a mask argument. */
  readonly masksWithState: boolean;
}

/** Reads the options of a CuDNNLSTM: activations and the bias are fixed, and are not in the file. */
export function readCudnnConfig(config: Config, name: string, dialect: Dialect): LstmConfig {
  const fixed = { activation: 'tanh', recurrent_activation: 'sigmoid', use_bias: true };
  return readLstmConfig(new Config(config.path, { ...(config.value as object), ...fixed }), name, dialect);
}

/** Reads the options of an LSTM. */
export function readLstmConfig(config: Config, name: string, dialect: Dialect): LstmConfig {
  // null means linear; a missing key means the default
  const option = (key: string, otherwise: string) => {
    const field = config.get(key);
    return field.value === undefined ? new Config(field.path, otherwise) : field;
  };
  const cell = option('activation', 'tanh');
  const gates = option('recurrent_activation', dialect.tfjs ? 'hard_sigmoid' : 'sigmoid');
  const flag = (key: string) => config.get(key).boolean(false);
  if (flag('time_major')) dialect.unsupported(`time_major of ${name}`);
  // these options change the computation, not the result
  flag('unroll');
  const { value } = config.get('implementation');
  if (value !== undefined && value !== null && ![0, 1, 2].includes(value as number)) {
    dialect.unsupported(`implementation ${describe(value)} of ${name}`);
  }
  return {
    units: config.get('units').integer(1, 2 ** 20),
    useBias: config.get('use_bias').boolean(true),
    activation: readActivation(cell, name, dialect),
    recurrentActivation: readActivation(gates, name, dialect),
    returnSequences: flag('return_sequences'),
    returnState: flag('return_state'),
    goBackwards: flag('go_backwards'),
    stateful: flag('stateful'),
    zeroMasked: flag('zero_output_for_mask'),
    startsWithState: dialect.tfjs,
    masksWithState: !dialect.keras3,
  };
}
