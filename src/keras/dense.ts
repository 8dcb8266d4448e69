import { type Activation, activate } from '../cells/activations.ts';
import type { Linear } from '../nn/linear.ts';
import { readActivation } from './activations.ts';
import type { Config } from './config.ts';
import type { Layer, MaskedTensor } from './layer.ts';
import { makeLinear } from './matrix.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { checkOutput, lastSize } from './shapes.ts';

/** Reads keras.layers.Dense. @param folder the folder of its weights in a .keras file */
export function readDense(config: Config, name: string, dialect: Dialect, folder = ''): LayerPlan {
  const units = config.get('units').integer(1);
  const useBias = config.get('use_bias').boolean(true);
  const activation = readActivation(config.get('activation'), name, dialect);
  return {
    build([shape], weights) {
      const outputs = [checkOutput(name, [...shape!.slice(0, -1), units])];
      const specs = [
        { name: 'kernel', dims: [lastSize(name, shape!), units] },
        { name: 'bias', dims: [units] },
      ];
      const [kernel, bias] = weights.read({ folder }, specs.slice(0, useBias ? 2 : 1));
      return { layer: new DenseLayer(makeLinear(kernel!, units, bias), activation), outputs };
    },
  };
}

class DenseLayer implements Layer {
  private readonly _linear: Linear;
  private readonly _activation: Activation;

  constructor(linear: Linear, activation: Activation) {
    this._linear = linear;
    this._activation = activation;
  }

  run([input]: readonly MaskedTensor[]): MaskedTensor[] {
    const { data, dims } = this._linear.forward(input!);
    activate(this._activation, data, this._linear.outFeatures);
    return [{ data, dims, mask: input!.mask }];
  }

  dispose(): void {
    this._linear.dispose();
  }
}
