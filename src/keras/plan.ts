import type { Config, Shape } from './config.ts';
import type { Layer } from './value.ts';

export interface WeightSpec {
  readonly name: string;
  readonly dims: readonly number[];
}

/** Which part of a layer has the weights. */
export interface Part {
  /** Which of two parts, if there are two */
  readonly direction?: 'forward' | 'backward';
  /** Where it is in a file with Keras 3's layout, below the layer's own group: 'cell', or '' for the layer itself */
  readonly folder: string;
}

/** The weights of one layer. */
export interface LayerWeights {
  /**
   * Values of the weights of a part, all of them in Keras's order.
   * @throws ModelError that names one that is missing or has another shape
   */
  read(part: Part, specs: readonly WeightSpec[]): Float32Array[];
}

export interface Built {
  readonly layer: Layer;
  readonly outputs: readonly Shape[];
}

/** A layer whose configuration was read. */
export interface Plan {
  /** Inputs that it takes: 1 if left out */
  readonly inputs?: readonly number[];
  /** Outputs that it has: 1 if left out */
  readonly outputs?: number;
  /** Arguments besides that are no tensors: 0 if left out */
  readonly constants?: number;
  /**
   * Makes the layer for inputs of these shapes.
   * @throws ModelError
   */
  build(inputs: readonly Shape[], weights: LayerWeights): Built;
}

/** What reading a configuration depends on besides. */
export interface Dialect {
  /** Whether Keras 3 or later wrote the model */
  readonly keras3: boolean;
  /** Whether TensorFlow.js itself wrote it */
  readonly tfjs: boolean;
  /** Notes what is not supported, to be refused together with all else */
  unsupported(what: string): void;
}

/** Gives nothing if the layer is not supported, which it noted. */
export type LayerReader = (
  config: Config,
  name: string,
  dialect: Dialect,
  constants: readonly Config[],
) => Plan | undefined;
