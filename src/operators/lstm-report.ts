import type { TensorLike } from '../base/tensor.ts';
import { copyElements } from '../graph/copy.ts';
import { permuted, strides } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import type { LSTMState } from '../nn/state.ts';
import { isFloat } from './value.ts';

/** Describes an LSTM node of a model, in OnnxSession.lstms. */
export interface LSTMReport {
  /** The node's name; if it has none, that of its first output. */
  readonly name: string;
  /**
   * The node's weights as an nn.LSTM has them, for LSTM.fromStateDict: weight_ih_l0 [4H, I], weight_hh_l0 [4H, H], the biases
   * [4H], and the same with `_reverse` if it is bidirectional; the float32 that they stand for, if the node has 8-bit weights.
   * undefined if no nn.LSTM computes the same. Read it before the session is disposed of.
   */
  readonly stateDict: ReadonlyMap<string, TensorLike> | undefined;
  /**
   * The states that the node's layer begins with, of dims [D, batch, H], if they are constants of the model and not all 0: a stream of
   * the state dict begins with zeros. undefined if it begins with zeros, with states that the model computes or is fed, or if there
   * is no state dict.
   */
  readonly initialState: LSTMState | undefined;
  /** Tells why there is no state dict; undefined if there is one. */
  readonly why: string | undefined;
}

/** The inputs of the operator LSTM that a report looks at. */
const [LENGTHS, H0, C0] = [4, 5, 6] as const;

/**
 * Reports a node.
 * @param constants its inputs that are known at load
 * @param other why its weights are not those of an nn.LSTM; undefined if they are
 * @param read gives its state dict
 */
export function reportLSTM(
  name: string,
  constants: readonly (Value | undefined)[],
  reverse: boolean,
  batchFirst: boolean,
  other: string | undefined,
  read: () => ReadonlyMap<string, TensorLike>,
): LSTMReport {
  const why =
    other ??
    (reverse ? 'nn.LSTM has no layer that only runs in reverse' : undefined) ??
    (constants[LENGTHS] ? 'nn.LSTM has no constant lengths of its sequences, as sequence_lens gives' : undefined);
  if (why !== undefined) return { name, stateDict: undefined, initialState: undefined, why };
  return {
    name,
    get stateDict() {
      return read();
    },
    initialState: initialState(constants[H0], constants[C0], batchFirst),
    why: undefined,
  };
}

function initialState(h0: Value | undefined, c0: Value | undefined, batchFirst: boolean): LSTMState | undefined {
  const given = [h0, c0].filter((value) => value !== undefined);
  // other types and ranks are refused by a run
  if (!given.every((value) => isFloat(value) && value.dims.length === 3)) return undefined;
  if (given.every(({ data }) => (data as Float32Array).every((x) => x === 0))) return undefined;
  const state = (value: Value | undefined): TensorLike => {
    const { dims, count } = value ?? given[0]!;
    const order = batchFirst ? [1, 0, 2] : [0, 1, 2];
    const turned = permuted(dims, order).dims;
    const data = new Float32Array(count);
    const steps = order.map((axis) => strides(dims)[axis]!);
    if (value) copyElements(value.data, 0, steps, data, 0, strides(turned), turned);
    return { data, dims: turned };
  };
  return { h0: state(h0), c0: state(c0) };
}
