import type { TensorLike } from '../base/tensor.ts';
import type { LayerWeights, Part, WeightSpec } from './plan.ts';
import type { Topology } from './topology.ts';

/** A layer of a file, as parseKeras() reads it. */
export interface KerasLayer {
  /** The name in the file. */
  readonly name: string;
  /** 'LSTM', 'Dense', ... */
  readonly className: string;
  /** The layer's configuration as the file has it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The weights by Keras's names, `kernel`, for a Bidirectional `forward/kernel`; none of a layer that is not supported. */
  readonly weights: ReadonlyMap<string, TensorLike>;
}

/** A model as parseKeras() reads it. */
export interface KerasFile {
  /** The version of the program that wrote it, such as '3.8.0' or 'tfjs-layers 4.22.0'; '' if the file does not say. */
  readonly version: string;
  /** The layers, each after those whose outputs it takes. */
  readonly layers: readonly KerasLayer[];
}

/** Notes what a model is made of while it is made. */
export class FileRecord implements KerasFile {
  version = '';
  readonly layers: KerasLayer[] = [];
  private readonly _weights = new Map<string, Map<string, TensorLike>>();

  start({ nodes }: Topology, version: string): void {
    this.version = version;
    for (const { name, className, config } of nodes) {
      const weights = new Map<string, TensorLike>();
      this._weights.set(name, weights);
      this.layers.push({ name, className, config: config.value as KerasLayer['config'], weights });
    }
  }

  /** Gives the weights of a layer, and notes those that are read. */
  watch(layer: string, own: LayerWeights): LayerWeights {
    const weights = this._weights.get(layer)!;
    const read = (part: Part, specs: readonly WeightSpec[]) => {
      const values = own.read(part, specs);
      for (const [i, { name, dims, otherDims }] of specs.entries()) {
        const data = values[i]!;
        const own = data.length === dims.reduce((a, b) => a * b, 1) ? dims : otherDims!;
        weights.set(part.direction ? `${part.direction}/${name}` : name, { data, dims: own });
      }
      return values;
    };
    return { read };
  }
}
