import { product } from '../base/tensor.ts';
import { type Activation, activate } from '../cells/activations.ts';
import { readActivation } from './activations.ts';
import type { Config } from './config.ts';
import type { Effort, Layer, MaskedTensor } from './layer.ts';
import { makeProducts, type Products } from './matrix.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { checkOutput, lastSize } from './shapes.ts';

/** Reads keras.layers.Dense. @param folder the folder of its weights in a .keras file */
export function readDense(config: Config, name: string, dialect: Dialect, folder = ''): LayerPlan {
  const units = config.get('units').integer(1);
  const useBias = config.get('use_bias').boolean(true);
  const activation = readActivation(config.get('activation'), name, dialect);
  return {
    build([shape], weights, holding) {
      const outputs = [checkOutput(name, [...shape!.slice(0, -1), units])];
      const specs = [
        { name: 'kernel', dims: [lastSize(name, shape!), units] },
        { name: 'bias', dims: [units] },
      ];
      const [kernel, bias] = weights.read({ folder }, specs.slice(0, useBias ? 2 : 1));
      return { layer: new DenseLayer(makeProducts(kernel!, units, bias, holding), activation), outputs };
    },
  };
}

class DenseLayer implements Layer {
  private readonly _products: Products;
  private readonly _activation: Activation;

  constructor(products: Products, activation: Activation) {
    this._products = products;
    this._activation = activation;
  }

  effort([dims]: readonly (readonly number[])[]): Effort {
    const { columns } = this._products;
    return { made: columns * product(dims!.slice(0, -1)), multiplied: columns * product(dims!) };
  }

  run([input]: readonly MaskedTensor[]): MaskedTensor[] {
    const { columns } = this._products;
    const before = input!.dims.slice(0, -1);
    const data = this._products.run(0, input!.data, product(before));
    activate(this._activation, data, columns);
    return [{ data, dims: [...before, columns], mask: input!.mask }];
  }

  dispose(): void {
    this._products.dispose();
  }
}
