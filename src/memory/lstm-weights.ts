import { align, floats, integers } from './arena.ts';
import {
  type Form,
  type Parameter,
  panelBytes,
  panelCount,
  quantizedBytes,
  readFloats,
  writeParameter,
} from './pack.ts';
import { directionParameters, type LSTMSizes, layerInputSize } from './parameters.ts';
import { PRODUCT_BYTES, Product } from './structs.ts';
import { wasm } from './wasm.ts';

/** Bytes of Model in assembly/model.ts, and of the products of a layer in one direction, which follow it. */
const MODEL_BYTES = 4 * 4;
const DIRECTION_BYTES = 3 * PRODUCT_BYTES;

/** Pointers of one layer in one direction. */
interface DirectionPlace {
  readonly weight_ih: number;
  readonly weight_hh: number;
  readonly weight_hr: number;
  /** The initial sums of the input product, in panels: bias_ih + bias_hh, or bias_ih alone where a row has two sums. */
  readonly bias: number;
  /** Zeros, the initial sums of a projection; or, where a row has two sums, bias_hh, the initial ones of the second */
  readonly bias_hr: number;
  /** The two biases as they were loaded. */
  readonly bias_ih: number;
  readonly bias_hh: number;
}

/** The weights of a recurrent module in linear memory, laid out in one block: a Model for the kernels, and each layer and direction. */
export class LSTMWeights {
  readonly parameters: readonly Parameter[];
  private readonly _sizes: LSTMSizes;
  private readonly _places: readonly DirectionPlace[];

  /** @param block pointer of bytesOf(sizes, form) zeros; the Model is at its beginning */
  constructor(sizes: LSTMSizes, form: Form, block: number) {
    const { hiddenSize, projSize, directions, numLayers, kind, units } = sizes;
    integers().set([hiddenSize, projSize, directions, kind.code], block / 4);
    const places: DirectionPlace[] = [];
    const parameters: Parameter[] = [];
    let at = block + modelBytes(sizes);
    for (let k = 0; k < numLayers * directions; k++) {
      const layer = Math.floor(k / directions);
      const [place, bytes] = placeDirection(sizes, form, at, layer);
      writeProducts(block + MODEL_BYTES + k * DIRECTION_BYTES, sizes, form, layer, place);
      for (const { kind, name, dims } of directionParameters(sizes, layer, k % directions)) {
        const panels = kind === 'weight_hr' ? { form } : { units, form };
        parameters.push({ name, dims, pointer: place[kind], ...(dims.length === 2 && { panels }) });
      }
      places.push(place);
      at += bytes;
    }
    this.parameters = parameters;
    this._sizes = sizes;
    this._places = places;
  }

  /**
   * Counts the bytes of the block. One sum, since enumerating an absurd number of layers would come before memory refuses them.
   */
  static bytesOf(sizes: LSTMSizes, form: Form): number {
    const [first, others] = [0, 1].map((layer) => placeDirection(sizes, form, 0, layer)[1]) as [number, number];
    return modelBytes(sizes) + sizes.directions * (first + (sizes.numLayers - 1) * others);
  }

  /** Puts the biases into panels, added unless the recurrent product has its own; called after they have changed. */
  addBiases(): void {
    const { gateRows, units, kind } = this._sizes;
    const isSplit = kind.sums > 1;
    const write = (pointer: number, values: Float32Array) =>
      writeParameter({ name: '', dims: [gateRows, 1], pointer, panels: { units } }, values);
    for (const { bias, bias_hr, bias_ih, bias_hh } of this._places) {
      const ih = readFloats(bias_ih, gateRows);
      const hh = readFloats(bias_hh, gateRows);
      if (isSplit) write(bias_hr, hh);
      write(bias, isSplit ? ih : ih.map((value, i) => value + hh[i]!));
    }
  }
}

/** Bytes of the Model that writeDirection() writes. */
export const ONE_DIRECTION_BYTES = MODEL_BYTES + DIRECTION_BYTES;

/** Writes a Model of one layer in one direction to `pointer`: the k-th of those of `model`, whose weights it shares. */
export function writeDirection(
  pointer: number,
  model: number,
  k: number,
  { hiddenSize, projSize, kind }: LSTMSizes,
): void {
  const words = integers();
  const from = (model + MODEL_BYTES + k * DIRECTION_BYTES) / 4;
  words.set([hiddenSize, projSize, 1, kind.code], pointer / 4);
  words.copyWithin((pointer + MODEL_BYTES) / 4, from, from + DIRECTION_BYTES / 4);
}

/**
 * Copies the sums of gates [rows][panels][16] that a step leaves at `pointer` to an array [*][H] for each gate, whose rows are
 * first + b * stride.
 */
export function copyGates(
  pointer: number,
  { hiddenSize: H, gateRows, units }: LSTMSizes,
  rows: number,
  gates: readonly Float32Array[],
  first: number,
  stride: number,
): void {
  const memory = floats();
  const { panel_index } = wasm();
  let from = pointer / 4;
  for (let b = 0, row = first; b < rows; b++, row += stride) {
    for (let i = 0; i < gateRows; i++) {
      gates[Math.floor(i / H)]![row * H + (i % H)] = memory[from + panel_index(i, 1, units)]!;
    }
    from += panelBytes(gateRows, 1) / 4;
  }
}

/** Counts the bytes of scratch that a run needs for `rows` rows at once: `z` of Run in assembly/model.ts. */
export function lstmScratchBytes(sizes: LSTMSizes, form: Form, rows: number): number {
  const { inputSize, hiddenSize, projSize, outputSize, numLayers, directions, gateRows, kind } = sizes;
  const widest = Math.max(inputSize, outputSize * (numLayers > 1 ? directions : 1));
  const projection = 4 * hiddenSize + panelBytes(projSize, 1) + quantizedBytes(hiddenSize, form);
  return (
    rows * (kind.sums * panelBytes(gateRows, 1) + Math.max(quantizedBytes(widest, form), projSize ? projection : 0))
  );
}

function modelBytes({ numLayers, directions }: LSTMSizes): number {
  return align(MODEL_BYTES + numLayers * directions * DIRECTION_BYTES);
}

/** Lays out a layer in one direction from `start` on. @returns its pointers, and its bytes in all */
function placeDirection(
  sizes: LSTMSizes,
  form: Form,
  start: number,
  layer: number,
): readonly [place: DirectionPlace, bytes: number] {
  const { hiddenSize, outputSize, projSize, gateRows, kind } = sizes;
  let end = start;
  const take = (bytes: number): number => {
    end += bytes;
    return end - bytes;
  };
  const place = {
    weight_ih: take(panelBytes(gateRows, layerInputSize(sizes, layer), form)),
    weight_hh: take(panelBytes(gateRows, outputSize, form)),
    weight_hr: take(panelBytes(projSize, hiddenSize, form)),
    bias: take(panelBytes(gateRows, 1)),
    bias_hr: take(panelBytes(kind.sums > 1 ? gateRows : projSize, 1)),
    bias_ih: take(4 * gateRows),
    bias_hh: take(4 * gateRows),
  };
  return [place, align(end - start)];
}

/** Writes the products of a layer in one direction: the fields that do not change from step to step. */
function writeProducts(pointer: number, sizes: LSTMSizes, form: Form, layer: number, place: DirectionPlace): void {
  const { gateRows, outputSize, hiddenSize, projSize } = sizes;
  let at = pointer;
  const write = (w: number, rows: number, K: number, init: number, initStride: number): void => {
    const product = new Product();
    product.w = w;
    product.xStride = 4 * K;
    product.K = K;
    product.init = init;
    product.initStride = initStride;
    product.panels = panelCount(rows);
    product.zStride = panelBytes(rows, 1);
    product.form = form;
    at = product.write(at) + PRODUCT_BYTES;
  };
  write(place.weight_ih, gateRows, layerInputSize(sizes, layer), place.bias, 0);
  write(place.weight_hh, gateRows, outputSize, 0, panelBytes(gateRows, 1));
  write(place.weight_hr, projSize, hiddenSize, place.bias_hr, 0);
}
