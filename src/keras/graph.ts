import { describe } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { type Graph, type GraphDraft, type Operand, withLast } from '../graph/graph.ts';
import type { ValueData } from '../graph/types.ts';
import { lying, Value } from '../graph/value.ts';
import { inOrder, type Lower, type Making, type Operator } from '../operators/node.ts';
import { type Owned, Packing } from '../operators/packing.ts';
import { transpose } from '../operators/shape.ts';
import type { Shape } from './config.ts';
import { type Attributes, KerasOperatorNode, Place } from './node.ts';
import { refuse } from './refuse.ts';

/** The operator set whose attributes and inputs the nodes have. */
const OPSET = 21;
/** The most calls of layers; models in models may call each other many times. */
const MAX_CALLS = 10_000;

/** A tensor between layers: the slot of its float32 value, its shape as far as it is known at load, and its mask. */
export interface Tensor {
  readonly slot: number;
  readonly shape: Shape;
  /** The slot of (B, T) bools: 1 for a step that counts, 0 for one that layers with masks skip. */
  readonly mask?: number | undefined;
}

/** A state that a stateful layer keeps from call to call: an input of the graph and an output of it. */
export interface KeptState {
  /** The name of the layer. */
  readonly name: string;
  /** The size of a sample. */
  readonly size: number;
  /** The slot that the last state is fed to. */
  readonly input: number;
  /** The slot of the state after the calls so far. */
  now: number;
}

/** The place of what belongs to no layer. */
const NOWHERE = new Place('', 'model');

/** Collects the steps that the layers of a model become, as an ONNX file would list them. */
export class KerasGraph {
  /** Memory of the nodes, to be disposed of with the model. */
  readonly resources: Owned[] = [];
  readonly states: KeptState[] = [];
  /** How many slots there are. */
  slots = 0;
  /** How many weights were read. */
  weights = 0;
  /** How many calls of layers there are. */
  calls = 0;
  private readonly _steps: GraphDraft[] = [];
  private readonly _packing = new Packing(0);
  private readonly _making: Making = {
    opset: OPSET,
    own: (resource) => void this.resources.push(resource),
    packing: this._packing,
    int8: false,
  };
  private readonly _held = new Set<ValueData>();
  private _place = NOWHERE;

  get steps(): readonly GraphDraft[] {
    return this._steps;
  }

  /** Names the layer whose steps are added. */
  get path(): string {
    return this._place.path;
  }

  /** Begins the call of a layer. */
  begin(name: string, className: string): void {
    this._place = new Place(name, className);
    if (++this.calls <= MAX_CALLS) return;
    const reason = `the model calls more than ${MAX_CALLS} layers, at ${describe(name)}`;
    refuse.because('too-large', name, reason, MAX_CALLS, this.calls);
  }

  /** Counts a weight that was read. */
  hold(value: Value): void {
    this.weights += value.count;
    this._packing.grow(value.storage.bytes);
    this._packing.hold(value.data);
    this._held.add(value.data);
  }

  /** Counts weights that stand for others from now on. */
  replace(from: readonly Value[], to: readonly (Value | undefined)[]): void {
    for (const { data } of from) if (this._held.delete(data)) this._packing.drop(data);
    for (const value of to) {
      if (!value) continue;
      this._packing.hold(value.data);
      this._held.add(value.data);
    }
  }

  slot(): number {
    return this.slots++;
  }

  /** Adds an operator with one output. */
  node(operator: Operator, inputs: readonly Operand[], attributes: Attributes = {}): number {
    return this.nodes(operator, inputs, 1, attributes)[0]!;
  }

  /** Adds an operator: it checks its attributes, and packs constant inputs, now. */
  nodes(operator: Operator, inputs: readonly Operand[], outputs: number, attributes: Attributes = {}): number[] {
    const node = this._node(inputs, outputs, attributes);
    const lower = inOrder(operator, operator.prepare(node));
    const operands = inputs.map((operand, i) => (typeof operand === 'object' ? node.constants[i] : operand));
    const kept = new Set(operands.map((operand) => typeof operand === 'object' && operand.data));
    for (const input of inputs) {
      if (typeof input !== 'object' || kept.has(input.data) || !this._held.delete(input.data)) continue;
      this._packing.drop(input.data);
    }
    node.seal();
    return this.step(operands, lower, outputs);
  }

  /** Adds an operator whose attributes follow from the dims of its inputs in a run. */
  late(
    operator: Operator,
    inputs: readonly number[],
    attributes: (...dims: (readonly number[])[]) => Attributes,
  ): number {
    const made = (given: Attributes) => this._node(inputs, 1, given);
    const place = this._place;
    const lower: Lower = (values, plan) => {
      const own = made(attributes(...values.map((value) => value!.dims)));
      return inOrder(operator, operator.prepare(own))(values, plan);
    };
    return this.step(inputs, lower, 1, place)[0]!;
  }

  private _node(inputs: readonly Operand[], outputs: number, attributes: Attributes): KerasOperatorNode {
    const constants = inputs.map((operand) => (typeof operand === 'object' ? operand : undefined));
    const present = inputs.map((operand) => operand !== undefined);
    return new KerasOperatorNode(this._place, attributes, constants, present, outputs, this._making);
  }

  /** Adds a step of Keras's own. */
  step(operands: readonly Operand[], lower: Lower, outputs = 1, place = this._place): number[] {
    const targets = Array.from({ length: outputs }, () => this.slot());
    this._steps.push({ place, operands, targets, lower, branches: undefined, repeat: undefined });
    return targets;
  }

  /**
   * Gives the same elements other dims.
   * @param dimsOf gives them, from the dims of the value and of `others`; what it throws names the layer
   */
  view(slot: number, dimsOf: (...dims: (readonly number[])[]) => readonly number[], others: readonly number[] = []) {
    const lower: Lower = (values, plan) => {
      return [plan.plain(values[0]!).withDims(dimsOf(...values.map((value) => value!.dims)))];
    };
    return this.step([slot, ...others], lower)[0]!;
  }

  /** Takes (B, *, C) as [B, C, *], in which operators have images; no element moves. */
  channelsFirst(slot: number, check?: (dims: readonly number[]) => void): number {
    const lower: Lower = ([value]) => {
      const { dims, storage } = value!;
      check?.(dims);
      return [turn(dims, storage)];
    };
    return this.step([slot], (inputs, plan) => lower([plan.plain(inputs[0]!)], plan))[0]!;
  }

  /** Takes [B, C, *] as (B, *, C); no element moves where operators leave channels last. */
  channelsLast(slot: number, rank: number): number {
    const perm = [...Array(rank).keys()];
    perm.push(...perm.splice(1, 1));
    return this.node(transpose, [slot], { perm });
  }

  /** Reorders axes. */
  permute(slot: number, perm: readonly number[]): number {
    return this.node(transpose, [slot], { perm });
  }

  /** Gives a state that is kept from call to call, as it is now. */
  keep(name: string, size: number): KeptState {
    const input = this.slot();
    const state: KeptState = { name, size, input, now: input };
    this.states.push(state);
    return state;
  }

  /** Frees everything, where the model is refused. */
  dispose(): void {
    this._packing.seal();
    for (const resource of this.resources) resource.dispose();
  }

  /**
   * Ends the model: no more can be added.
   * @param fed slots that are fed; they come first in the graph
   */
  finish(fed: readonly number[], outputs: readonly number[]): Graph {
    this._packing.seal();
    const places = new Array<number>(this.slots).fill(-1);
    let next = 0;
    for (const slot of fed) places[slot] = next++;
    for (let slot = 0; slot < places.length; slot++) if (places[slot] === -1) places[slot] = next++;
    const move = <T extends Operand>(operand: T) => (typeof operand === 'number' ? places[operand]! : operand);
    const steps = this._steps.map(({ place, operands, targets, lower, branches }): GraphDraft => {
      return {
        place,
        operands: operands.map(move),
        targets: targets.map((slot) => places[slot]!),
        lower,
        branches,
        repeat: undefined,
      };
    });
    const ends = outputs.map((slot) => places[slot]!);
    return { steps: withLast(steps, ends), outputs: ends };
  }
}

/** Values [B, *, C] as [B, C, *] whose elements lie as they do; turned unless that is the same. */
function turn(dims: readonly number[], storage: Value['storage']): Value {
  const order = [...dims];
  order.splice(1, 0, order.pop()!);
  const value = new Value(order, storage, true);
  const isSame =
    order[1] === 1 ||
    lying(value)
      .dims.slice(1, -1)
      .every((size) => size === 1);
  return isSame ? new Value(order, storage) : value;
}

/** Makes a step of Keras's own that computes one value by a function of elements. */
export function elementwise(
  path: string,
  type: 'float32' | 'bool' | 'int32',
  apply: (x: number) => number,
): (inputs: readonly (Value | undefined)[], plan: Builder) => Value[] {
  return ([x], plan) => {
    const out = plan.make(type, x!.dims, path);
    plan.step([x, out], () => () => {
      const from = x!.data as Float32Array;
      const to = out.data;
      for (let i = 0; i < to.length; i++) to[i] = apply(from[i]!);
    });
    return [out];
  };
}
