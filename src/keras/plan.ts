import type { Config, Shape } from './config.ts';
import type { Holding } from './holding.ts';
import type { Layer } from './layer.ts';

/** A weight that a layer needs: its name in Keras and its shape. */
export interface WeightSpec {
  readonly name: string;
  readonly dims: readonly number[];
  /** Another shape that it may have in a file. */
  readonly otherDims?: readonly number[];
}

/** A part of a layer that has weights. */
export interface Part {
  /** The direction, if the layer has a part for each. */
  readonly direction?: 'forward' | 'backward';
  /** Its folder in a .keras file, below the layer's own group: 'cell', or '' for the layer itself. */
  readonly folder: string;
}

/** The weights of one layer. */
export interface LayerWeights {
  /**
   * Reads all weights of a part, in Keras's order.
   * @throws ModelError that names a weight that is missing or has another shape
   */
  read(part: Part, specs: readonly WeightSpec[]): Float32Array[];
}

/** A layer and the shapes of its outputs. */
export interface Built {
  readonly layer: Layer;
  readonly outputs: readonly Shape[];
}

/** A layer whose configuration was read; its weights are read later. */
export interface LayerPlan {
  /** The numbers of inputs that it can take; default `[1]`. */
  readonly inputs?: readonly number[];
  /** The number of its outputs; default 1. */
  readonly outputs?: number;
  /** The number of arguments that are not tensors; default 0. */
  readonly constants?: number;
  /**
   * Makes the layer for inputs of these shapes.
   * @param holding counts what the model holds
   * @throws ModelError
   */
  build(inputs: readonly Shape[], weights: LayerWeights, holding: Holding): Built;
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
export type LayerReader = (
  config: Config,
  name: string,
  dialect: Dialect,
  constants: readonly Config[],
) => LayerPlan | undefined;
