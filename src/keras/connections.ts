import type { Config, Shape } from './config.ts';

// The layers of a model and how they are connected.

/** An output of a layer: the name of the layer, and the numbers of the call and of the output. */
export interface OutputRef {
  readonly name: string;
  readonly call: number;
  readonly index: number;
}

/** A layer of a model. */
export interface LayerNode {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** The number of layers of its class before it in the file; paths in .keras files depend on it. */
  readonly position: number;
  /** Its layers, if it is a model. */
  readonly model?: Topology | undefined;
  /** The layer that it applies, if it is a TimeDistributed. */
  readonly inner?: LayerNode | undefined;
}

/** A call of a layer. */
export interface LayerCalled extends Call {
  readonly node: LayerNode;
  /** The number of the call. */
  readonly call: number;
}

/** The arguments that a model calls a layer with; an InputLayer has none. */
export interface Call {
  readonly inputs: readonly OutputRef[];
  /** For each input, the mask that Keras 3 passes in place of the one that comes with it. */
  readonly masks?: readonly (OutputRef | undefined)[] | undefined;
  /** Whether attention looks at no later step. */
  readonly causal?: boolean;
  /** Arguments that are no tensors. */
  readonly constants?: readonly Config[];
}

/** The layers of a model and how they are connected. */
export interface Topology {
  /** The layers, in the order of the file. */
  readonly nodes: readonly LayerNode[];
  /** The calls of layers, each after those whose outputs it takes. */
  readonly calls: readonly LayerCalled[];
  /** The declared shapes of the inputs, by name. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** The names of InputLayers, in the order of predict's inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly OutputRef[];
  /** Whether the model is Sequential, so that each layer has one output. */
  readonly sequential: boolean;
}
