import { endScratch, floats, scratch } from '../memory/arena.ts';
import { PANEL_BYTES, panelBytes, panelCount, writeParameter } from '../memory/pack.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { Resource } from '../nn/module.ts';

/** In place on `rows` rows of `size` floats at `pointer`; `spare` has room for as many. */
type Activation = (pointer: number, rows: number, size: number, spare: number) => void;

const nothing: Activation = () => {};

/** Keras's activations of a dense layer, by name; `` is none. */
export const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ['', nothing],
  ['linear', nothing],
  ['tanh', (pointer, rows, size) => wasm().tanh_f32(pointer, rows * size)],
  ['sigmoid', (pointer, rows, size) => wasm().sigmoid_f32(pointer, rows * size)],
  ['relu', (pointer, rows, size) => wasm().relu_f32(pointer, rows * size)],
  ['softmax', (pointer, rows, size) => wasm().softmax_f32(pointer, rows, size, 1)],
  ['elu', elu],
]);

/** `x` above 0, else e^x - 1 = 2 t / (1 - t) with t = tanh(x / 2): exact near 0, and the same bits everywhere. */
function elu(pointer: number, rows: number, size: number, spare: number): void {
  const memory = floats();
  const [x, t, count] = [pointer / 4, spare / 4, rows * size];
  for (let i = 0; i < count; i++) memory[t + i] = Math.min(memory[x + i]!, 0) / 2;
  wasm().tanh_f32(spare, count);
  for (let i = 0; i < count; i++) {
    if (!(memory[x + i]! > 0)) memory[x + i] = (2 * memory[t + i]!) / (1 - memory[t + i]!);
  }
}

/** A Linear and an activation that read and write given arrays, so that they make no garbage. */
export class Dense extends Resource {
  readonly inputSize: number;
  readonly outputSize: number;
  private readonly _activation: Activation;
  private readonly _product = new Product();
  private readonly _weight: number;
  private readonly _bias: number;

  /** @param weight (outputSize, inputSize) */
  constructor(weight: Float32Array, bias: Float32Array, activation: string) {
    super('Dense');
    this.outputSize = bias.length;
    this.inputSize = weight.length / bias.length;
    this._activation = ACTIVATIONS.get(activation)!;
    const weightBytes = panelBytes(this.outputSize, this.inputSize);
    this._weight = this.own(weightBytes + panelBytes(this.outputSize, 1));
    this._bias = this._weight + weightBytes;
    const dims = [this.outputSize, this.inputSize];
    writeParameter({ name: 'weight', dims, pointer: this._weight, gates: 0 }, weight);
    writeParameter({ name: 'bias', dims: [this.outputSize], pointer: this._bias }, bias);
  }

  /**
   * @param input (rows, inputSize)
   * @param output (rows, outputSize)
   */
  run(input: Float32Array, output: Float32Array): void {
    const rows = output.length / this.outputSize;
    const zBytes = rows * panelBytes(this.outputSize, 1);
    const z = scratch(zBytes + 4 * (input.length + output.length) + PRODUCT_BYTES);
    const x = z + zBytes;
    const y = x + 4 * input.length;
    floats().set(input, x / 4);
    const product = this._product;
    product.w = this._weight;
    product.x = x;
    product.xStride = 4 * this.inputSize;
    product.K = this.inputSize;
    product.init = this._bias;
    product.z = z;
    product.panels = panelCount(this.outputSize);
    product.zStride = product.panels * PANEL_BYTES;
    product.rows = rows;
    wasm().linear(product.write(y + 4 * output.length), y, this.outputSize);
    this._activation(y, rows, this.outputSize, z);
    const memory = floats();
    for (let i = 0; i < output.length; i++) output[i] = memory[y / 4 + i]!;
    endScratch();
  }

  /** It has no state. */
  reset(): void {}
}
