import { describe } from '../base/tensor.ts';
import type { Activation } from '../cells/activations.ts';
import type { CellName } from '../cells/cells.ts';
import { readActivation } from './activations.ts';
import { Config } from './config.ts';
import type { Dialect } from './plan.ts';

/** The options of keras.layers.LSTM, GRU or SimpleRNN that change its results. */
export interface RecurrentConfig {
  readonly cell: CellName;
  readonly units: number;
  readonly useBias: boolean;
  /** The activation of the cell's input and of its state. */
  readonly activation: Activation;
  /** The activation of the gates; of no meaning to a SimpleRNN. */
  readonly recurrentActivation: Activation;
  /** GRU: whether the reset gate multiplies what comes out of the recurrent kernel, which has a bias of its own then. */
  readonly resetAfter: boolean;
  /** GRU: whether the weights are in the layout of cuDNN. An LSTM's tell it by their size. */
  readonly isCudnn: boolean;
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

/** The layers that run here, by class, and the cells of an RNN; those on cuDNN have fixed options that are not in the file. */
const CLASSES: Readonly<Record<string, CellName>> = {
  LSTM: 'LSTM',
  GRU: 'GRU',
  SimpleRNN: 'RNN',
  CuDNNLSTM: 'LSTM',
  CuDNNGRU: 'GRU',
};

/** Tells whether a class is that of a layer that ran on cuDNN only, in Keras 2. */
export function isCudnnClass(className: string): boolean {
  return className.startsWith('CuDNN');
}

/** How many states a cell has. */
export function stateCount({ cell }: Pick<RecurrentConfig, 'cell'>): number {
  return cell === 'LSTM' ? 2 : 1;
}

/** Reads the options of a layer of this class; undefined if it is none of those above. */
export function readRecurrentConfig(
  className: string,
  config: Config,
  name: string,
  dialect: Dialect,
): RecurrentConfig | undefined {
  const cell = Object.hasOwn(CLASSES, className) ? CLASSES[className] : undefined;
  if (!cell) return undefined;
  const isCudnn = isCudnnClass(className);
  const fixed = { activation: 'tanh', recurrent_activation: 'sigmoid', use_bias: true, reset_after: true };
  const given = isCudnn ? new Config(config.path, { ...(config.value as object), ...fixed }) : config;
  return readConfig(cell, given, name, dialect, isCudnn);
}

function readConfig(cell: CellName, config: Config, name: string, dialect: Dialect, isCudnn: boolean): RecurrentConfig {
  // null means linear; a missing key means the default
  const option = (key: string, otherwise: string) => {
    const field = config.get(key);
    return field.value === undefined ? new Config(field.path, otherwise) : field;
  };
  const activation = readActivation(option('activation', 'tanh'), name, dialect);
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
    cell,
    units: config.get('units').integer(1, 2 ** 20),
    useBias: config.get('use_bias').boolean(true),
    activation,
    recurrentActivation: cell === 'RNN' ? activation : readActivation(gates, name, dialect),
    isCudnn,
    // files that do not say are of Keras before 2.1.3, or of TensorFlow.js, which has no other
    resetAfter: cell === 'GRU' && config.get('reset_after').boolean(dialect.keras3),
    returnSequences: flag('return_sequences'),
    returnState: flag('return_state'),
    goBackwards: flag('go_backwards'),
    stateful: flag('stateful'),
    zeroMasked: flag('zero_output_for_mask'),
    startsWithState: dialect.tfjs,
    masksWithState: !dialect.keras3,
  };
}
