import type { Shape } from './config.ts';
import type { KerasGraph } from './graph.ts';

/** Where an input of a model is fed to, or where an output is. */
interface Port {
  readonly name: string;
  readonly dims: Shape;
  readonly slot: number;
}

/** The layers of a model as a graph, its inputs and outputs. */
export interface ModelParts {
  readonly graph: KerasGraph;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}
