import { product, type TensorLike } from '../base/tensor.ts';
import type { LayerNode, Topology } from './connections.ts';
import type { WeightSource } from './named-weights.ts';
import type { Part } from './plan.ts';

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
  private readonly _weights = new Map<LayerNode, Map<string, TensorLike>>();

  start(topology: Topology, version: string): void {
    this.version = version;
    this._add(topology, '');
  }

  /** Adds layers; those of a model inside of the model come after it, with its name before theirs. */
  private _add({ nodes }: Topology, prefix: string): void {
    for (const node of nodes) {
      const weights = new Map<string, TensorLike>();
      this._weights.set(node, weights);
      const { name, className, config, model } = node;
      this.layers.push({ name: prefix + name, className, config: config.value as KerasLayer['config'], weights });
      if (model) this._add(model, `${prefix}${name}/`);
    }
  }

  /** Gives the weights of a layer, and notes those that are read. */
  watch(node: LayerNode, source: WeightSource): WeightSource {
    const weights = this._weights.get(node)!;
    const watched = (own: WeightSource): WeightSource => ({
      read(part, specs) {
        const values = own.read(part, specs);
        for (const [i, { name, dims, otherDims }] of specs.entries()) {
          const data = values[i]!;
          const shape = data.length === product(dims) ? dims : otherDims!;
          weights.set(weightName(part, name), { data, dims: shape });
        }
        return values;
      },
      inside: (folder) => watched(own.inside(folder)),
      ofLayer: (inner) => this.watch(inner, own.ofLayer(inner)),
    });
    return watched(source);
  }
}

/** The name of a weight in its layer. */
function weightName({ direction, cell }: Part, name: string): string {
  const parts = [direction, cell && `cell_${cell.index}`, name];
  return parts.filter((part) => part !== undefined).join('/');
}
