import { wrongValue } from '../base/tensor.ts';
import type { Value } from '../graph/value.ts';
import { gru, rnn } from '../operators/gru.ts';
import { lstm } from '../operators/lstm.ts';
import { concat } from '../operators/slices.ts';
import type { Shape } from './config.ts';
import type { KeptState, KerasGraph, Tensor } from './graph.ts';
import type { Building } from './plan.ts';
import { type RecurrentConfig, stateCount } from './recurrent-config.ts';
import { compact, expand, turnSteps } from './recurrent-masks.ts';
import type { OnnxWeights } from './recurrent-weights.ts';

const OPERATORS = { LSTM: lstm, GRU: gru, RNN: rnn } as const;

/** One or two directions of a recurrent layer, as it applies them to a sequence. */
export interface Recurrence {
  readonly name: string;
  /** The configuration of the first direction; the second differs in its activations only. */
  readonly config: RecurrentConfig;
  readonly second: RecurrentConfig | undefined;
  readonly weights: OnnxWeights;
  /** The states that a stateful layer keeps, of each direction in turn. */
  readonly kept: readonly KeptState[] | undefined;
}

/** Slots of the outputs of a recurrence. */
export interface RecurrenceResult {
  /** All outputs (B, T, D, H), or the last ones (B, D, H) */
  readonly output: number;
  /** The states of each direction in turn, (B, H) */
  readonly states: readonly number[];
}

/**
 * Adds the steps of a recurrence.
 * @param given slots of the initial states of each direction in turn, or none
 */
export function addRecurrence(
  { name, config, second, weights, kept }: Recurrence,
  sequence: Tensor,
  given: readonly number[],
  { graph, masked }: Building,
): RecurrenceResult {
  const {
    cell,
    units: H,
    resetAfter,
    goBackwards,
    masksWithState,
    zeroMasked,
    startsWithState,
    returnSequences,
  } = config;
  const D = second ? 2 : 1;
  const S = stateCount(config);
  const hasMask = sequence.mask !== undefined && (given.length === 0 || masked || masksWithState);
  const checked = { ...sequence, slot: checkSteps(graph, name, sequence), mask: hasMask ? sequence.mask : undefined };
  // from the end: the outputs come in the order in which they are computed
  const { slot: x, mask } = goBackwards ? turnSteps(graph, checked) : checked;
  // states (B, D, H) where the batch comes first, else [D, B, H]
  const isFirst = hasMask || returnSequences;
  const initial = given.length ? given : (kept?.map(({ now }) => now) ?? []);
  const [h0, c0] = Array.from({ length: S }, (_, i) =>
    joinStates(
      graph,
      initial.filter((_, k) => k % S === i),
      H,
      isFirst,
    ),
  );
  const [shortened, lengths] = mask === undefined ? [x, undefined] : graph.step([x, mask], compact(graph.path), 2);
  const attributes = {
    hidden_size: H,
    direction: second ? 'bidirectional' : 'forward',
    layout: Number(isFirst),
    linear_before_reset: Number(resetAfter),
    functions: [config, ...(second ? [second] : [])].flatMap(({ activation, recurrentActivation }) => {
      const all = [recurrentActivation, activation, activation];
      return cell === 'LSTM' ? all : all.slice(cell === 'GRU' ? 0 : 1, 2);
    }),
  };
  const { w, r, b } = weights;
  const steps = isFirst ? shortened! : graph.permute(shortened!, [1, 0, 2]);
  const inputs = [steps, w, r, b, lengths, h0, ...(S > 1 ? [c0] : [])];
  let [y, h, c] = graph.nodes(OPERATORS[cell], inputs, 1 + S, attributes) as [number, number, number | undefined];
  let output = returnSequences ? y : h;
  if (mask !== undefined) {
    const operands = [y, mask, h, h0, ...(S > 1 ? [c, c0] : [])];
    const lower = expand(graph.path, { zeroMasked, startsWithState, sequences: returnSequences });
    [output, h, c] = graph.step(operands, lower, 1 + S) as [number, number, number | undefined];
  } else if (!isFirst) output = D > 1 ? graph.permute(h, [1, 0, 2]) : graph.view(h, ([, B]) => [B!, 1, H]);
  const states = Array.from({ length: S * D }, (_, k) => stateOf(graph, k % S ? c! : h, Math.floor(k / S), H, isFirst));
  if (kept) for (const [k, state] of kept.entries()) state.now = states[k]!;
  return { output, states };
}

function checkSteps(graph: KerasGraph, name: string, { slot }: Tensor): number {
  return graph.view(slot, (dims) => {
    if (dims[1] === 0) throw wrongValue(name, 'input', 'at least one step', dims);
    return dims;
  });
}

/** Joins states (B, H) of each direction to (B, D, H) or [D, B, H]. */
function joinStates(graph: KerasGraph, states: readonly number[], H: number, isFirst: boolean): number | undefined {
  const parts = states.map((slot) => graph.view(slot, ([B]) => (isFirst ? [B!, 1, H] : [1, B!, H])));
  if (parts.length < 2) return parts[0];
  return graph.node(concat, parts, { axis: isFirst ? 1 : 0 });
}

/** Takes the state (B, H) of a direction out of (B, D, H) or [D, B, H]. */
function stateOf(graph: KerasGraph, slot: number, d: number, H: number, isFirst: boolean): number {
  const path = graph.path;
  return graph.step([slot], ([value], plan) => {
    const [one, two] = value!.dims as [number, number];
    const [B, D] = isFirst ? [one, two] : [two, one];
    const states = value as Value<Float32Array>;
    if (!isFirst || D === 1) return [states.part(d * B * H, [B, H])];
    const out = plan.make('float32', [B, H], path);
    plan.copy(states, d * H, [D * H, 1], out, [B, H]);
    return [out];
  })[0]!;
}

/** The shape of an output of a recurrence, with `width` numbers a step. */
export function outputShape([batch, steps]: Shape, { returnSequences }: RecurrentConfig, width: number): Shape {
  return returnSequences ? [batch!, steps!, width] : [batch!, width];
}
