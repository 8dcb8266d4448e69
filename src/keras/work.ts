import { describe, product } from '../base/tensor.ts';
import type { Layer } from './layer.ts';
import { refuse } from './refuse.ts';

// The work that a call may ask for, as for ONNX models. A number that is fed may meet every weight and make some in each layer.
// Products are more, since a decoder repeats a vector for hundreds of steps: 2^31 take about a second.
const ELEMENTS = 2 ** 24;
const ELEMENTS_PER_LAYER = 64;
const MOST_ELEMENTS = 2 ** 18;
const MULTIPLICATIONS = 2 ** 31;

/** Sizes of a model that decide how much work is in proportion. */
export interface ModelSize {
  /** The number of weights. */
  readonly weights: number;
  /** The number of layers. */
  readonly layers: number;
}

/** Counts the work of a call. More than inputs and weights account for is refused, since a file may have any size in it. */
export class Work {
  #elements: number;
  #multiplications: number;

  /** @param fed the numbers that are fed */
  constructor(fed: number, { weights, layers }: ModelSize) {
    const each = ELEMENTS_PER_LAYER * layers;
    this.#elements = ELEMENTS + fed * (Math.min(weights, MOST_ELEMENTS) + each);
    this.#multiplications = MULTIPLICATIONS + fed * (4 * weights + each);
  }

  /** Counts the work of a layer for inputs of these shapes. @throws ModelError */
  countLayer(name: string, layer: Layer, inputs: readonly (readonly number[])[]): void {
    const { made, multiplied } = layer.effort?.(inputs) ?? { made: product(inputs[0]!), multiplied: 0 };
    this.count(name, made, multiplied);
  }

  /** Counts numbers that are made or moved, and multiplications. @throws ModelError that names the layer */
  count(name: string, made: number, multiplied = 0): void {
    this.#elements -= made;
    this.#multiplications -= multiplied;
    if (this.#elements >= 0 && this.#multiplications >= 0) return;
    const reason = `${describe(name)} asks for more work than inputs and weights account for: a size in the model is absurd`;
    refuse.because('too-large', name, reason, 'work in proportion', 'more');
  }
}
