import type { Value } from '../graph/value.ts';
import type { Config } from './config.ts';
import type { LayerNode } from './connections.ts';
import type { KerasGraph, Tensor } from './graph.ts';

/** A weight that a layer needs: its name in Keras and its shape. */
export interface WeightSpec {
  readonly name: string;
  readonly dims: readonly number[];
  /** Another shape, and another name, that it may have in a file. */
  readonly otherDims?: readonly number[];
  readonly otherName?: string;
}

/** A part of a layer that has weights. */
export interface Part {
  /** The direction, if the layer has a part for each. */
  readonly direction?: 'forward' | 'backward';
  /** Its folder in a .keras file, below the layer's own group: 'cell', or '' for the layer itself. */
  readonly folder: string;
  /** Its number among parts whose weights have the same names, and how many weights the parts before it have. */
  readonly cell?: { readonly index: number; readonly before: number };
}

/** The weights of a layer. */
export interface LayerWeights {
  /**
   * Reads all weights of a part, in Keras's order; the same values each time.
   * @throws ModelError that names a weight that is missing or has another shape
   */
  read(part: Part, specs: readonly WeightSpec[]): readonly Value<Float32Array>[];
  /** Makes a value of weights, once for all calls of the layer. */
  once<T>(key: string, make: () => T): T;
  /** Lets go of what was read and made, after the last call. */
  forget(): void;
  /** The weights of a layer in this one, in a folder of a .keras file. */
  inside(folder: string): LayerWeights;
  /** The weights of a layer of the model in this one. */
  ofLayer(node: LayerNode): LayerWeights;
}

/** The things that a layer has at hand to become steps of a graph. */
export interface Building {
  readonly graph: KerasGraph;
  readonly weights: LayerWeights;
  /** Whether this is the last call of the layer. */
  readonly last: boolean;
  /** Whether the model passes the mask of the first input as an argument. */
  readonly masked: boolean;
  /** Whether attention looks at no later step. */
  readonly causal: boolean;
}

/** A layer whose configuration was read; its weights are read later. */
export interface LayerPlan {
  /** The numbers of inputs that it can take, or 'several' for two or more; default `[1]`. */
  readonly inputs?: readonly number[] | 'several';
  /** The number of its outputs; default 1. */
  readonly outputs?: number;
  /** Whether it has a form that looks at no later step. */
  readonly takesCausal?: boolean;
  /** The number of arguments that are not tensors; default 0. */
  readonly constants?: number;
  /**
   * Adds the steps of a call to the graph, for inputs of these shapes. A layer may be called several times.
   * @returns its outputs
   * @throws ModelError
   */
  build(inputs: readonly Tensor[], building: Building): readonly Tensor[];
}

/** The dialect of the program that wrote a model. */
export interface Dialect {
  /** Whether Keras 3 or later wrote it. */
  readonly keras3: boolean;
  /** Whether TensorFlow.js itself wrote it. */
  readonly tfjs: boolean;
  /** Notes something that is not supported; everything noted is refused together. */
  unsupported(what: string): void;
}

/** Reads the configuration of a layer. Notes a layer that is not supported, and gives undefined. */
export type LayerReader = (config: Config, name: string, dialect: Dialect, call: LayerCall) => LayerPlan | undefined;

/** The things that a reader gets besides the configuration. */
export interface LayerCall {
  /** Arguments that are no tensors. */
  readonly constants: readonly Config[];
  readonly node: LayerNode;
  /** Reads the layer that this one applies, if it is a TimeDistributed. */
  readonly inner: (() => LayerPlan | undefined) | undefined;
}
