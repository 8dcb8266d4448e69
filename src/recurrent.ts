import { align, allocate, integers } from './arena.ts';
import { int8Form } from './int8.ts';
import { Module } from './module.ts';
import {
  FLOAT32,
  type Form,
  holdsInt8,
  panelBytes,
  quantizedBytes,
  readFloats,
  type Values,
  writeParameter,
} from './pack.ts';
import { directionParameters, type LSTMSizes, layerInputSize } from './parameters.ts';

/** Pointers of one layer in one direction. */
interface DirectionBlock {
  readonly weight_ih: number;
  readonly weight_hh: number;
  readonly weight_hr: number;
  /** bias_ih + bias_hh, in panels: what the kernels' sums begin with; then zeros, which a projection's begin with */
  readonly bias: number;
  readonly bias_hr: number;
  readonly bias_ih: number;
  readonly bias_hh: number;
}

/** Words of Model and Direction in assembly/layer.ts. */
const MODEL_WORDS = 5;
const DIRECTION_WORDS = 5;

/** The weights of nn.LSTM or nn.LSTMCell in linear memory, packed once, with the description of them that kernels read. */
export abstract class Recurrent extends Module {
  /** @internal */
  readonly sizes: LSTMSizes;
  /** Pointer of the Model that lstm_run takes. @internal */
  readonly model: number;
  /** Scratch for one row that lives as long as the weights: what a stream's step uses. @internal */
  readonly stepScratch: number;
  readonly #form: Form;
  readonly #directions: DirectionBlock[] = [];

  constructor(who: string, seed: unknown, sizes: LSTMSizes, values: Values | undefined) {
    super(who, seed);
    this.sizes = sizes;
    this.#form = values && holdsInt8(values) ? int8Form() : FLOAT32;
    const { inputSize, hiddenSize, projSize, numLayers, directions } = sizes;
    const modelBytes = align(4 * (MODEL_WORDS + numLayers * directions * DIRECTION_WORDS));
    // the size first, in one sum: an absurd number of layers must not be enumerated
    const weightBytes = directions * (this.#place(0, 0)[1] + (numLayers - 1) * this.#place(0, 1)[1]);
    const block = allocate(modelBytes + weightBytes + this.scratchBytes(1));
    const memory = integers();
    memory.fill(0, block / 4, (block + modelBytes + weightBytes) / 4);
    this.model = block;
    memory.set([inputSize, hiddenSize, projSize, directions, this.#form], block / 4);
    let at = block + modelBytes;
    for (let k = 0; k < numLayers * directions; k++) {
      const layer = Math.floor(k / directions);
      const [place, bytes] = this.#place(at, layer);
      this.#directions.push(place);
      const { weight_ih, weight_hh, weight_hr, bias, bias_hr } = place;
      memory.set([weight_ih, weight_hh, weight_hr, bias, bias_hr], block / 4 + MODEL_WORDS + k * DIRECTION_WORDS);
      this.#define(place, layer, this.suffix(layer, k % directions));
      at += bytes;
    }
    this.stepScratch = at;
    this.own(block);
    if (values) this.write(this.prepare(values));
    else this.initialize(hiddenSize);
  }

  /** What follows `weight_ih` in a state-dict key. */
  protected abstract suffix(layer: number, direction: number): string;

  /** Where things of a layer in one direction lie from `start`, and how many bytes they take. */
  #place(start: number, layer: number): readonly [DirectionBlock, number] {
    const { hiddenSize, outputSize, projSize } = this.sizes;
    const gates = 4 * hiddenSize;
    const form = this.#form;
    const weight_hh = start + panelBytes(gates, layerInputSize(this.sizes, layer), form);
    const weight_hr = weight_hh + panelBytes(gates, outputSize, form);
    const bias = weight_hr + panelBytes(projSize, hiddenSize, form);
    const bias_hr = bias + panelBytes(gates, 1);
    const bias_ih = bias_hr + panelBytes(projSize, 1);
    const bias_hh = bias_ih + 4 * gates;
    const place = { weight_ih: start, weight_hh, weight_hr, bias, bias_hr, bias_ih, bias_hh };
    return [place, align(bias_hh + 4 * gates - start)];
  }

  #define(place: DirectionBlock, layer: number, suffix: string): void {
    for (const spec of directionParameters(this.sizes, layer, suffix)) {
      const kind = spec.name.slice(0, spec.name.length - suffix.length) as keyof DirectionBlock;
      const gates = kind === 'weight_hr' ? 0 : this.sizes.hiddenSize;
      this.parameters.push({
        ...spec,
        pointer: place[kind],
        ...(spec.dims.length === 2 && { gates, form: this.#form }),
      });
    }
  }

  protected override write(values: Values): void {
    super.write(values);
    this.#addBiases();
  }

  protected override initialize(size: number): void {
    super.initialize(size);
    this.#addBiases();
  }

  #addBiases(): void {
    const { hiddenSize } = this.sizes;
    for (const { bias, bias_ih, bias_hh } of this.#directions) {
      const hh = readFloats(bias_hh, 4 * hiddenSize);
      const sum = readFloats(bias_ih, 4 * hiddenSize).map((value, i) => value + hh[i]!);
      writeParameter({ name: '', dims: [4 * hiddenSize, 1], pointer: bias, gates: hiddenSize }, sum);
    }
  }

  /** Bytes of scratch that lstm_run needs for `rows` rows at once. @internal */
  scratchBytes(rows: number): number {
    const { inputSize, hiddenSize, projSize, outputSize, numLayers, directions } = this.sizes;
    const form = this.#form;
    const widest = Math.max(inputSize, outputSize * (numLayers > 1 ? directions : 1));
    const projection = 4 * hiddenSize + panelBytes(projSize, 1) + quantizedBytes(hiddenSize, form);
    return rows * (panelBytes(4 * hiddenSize, 1) + Math.max(quantizedBytes(widest, form), projSize ? projection : 0));
  }
}
