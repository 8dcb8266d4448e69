import { allocate, integers } from './arena.ts';
import { Module } from './module.ts';
import {
  gateColumns,
  gatePanels,
  pack,
  panelBytes,
  plainColumns,
  plainPanels,
  readFloats,
  unpack,
  writeFloats,
} from './pack.ts';
import {
  directionParameters,
  type LSTMSizes,
  layerInputSize,
  numDirections,
  outputSize,
  type ParameterSpec,
} from './parameters.ts';
import { wasm } from './wasm.ts';

/** Pointers of one layer in one direction; the sums that the kernels add to are `bias` = bias_ih + bias_hh, padded. */
interface DirectionBlock {
  readonly inputSize: number;
  readonly ih: number;
  readonly hh: number;
  readonly hr: number;
  readonly bias: number;
  readonly hrBias: number;
  readonly biasIh: number;
  readonly biasHh: number;
}

interface Parameter extends ParameterSpec {
  /** The name without the layer's suffix: weight_ih, weight_hh, weight_hr, bias_ih or bias_hh */
  readonly kind: string;
  readonly place: DirectionBlock;
}

/** What one layer call works on, besides weights: LayerCall in assembly/layer.ts has the shapes. Strides in bytes. */
export interface CallData {
  x: number;
  xStride: number;
  y: number;
  yStride: number;
  h: number;
  c: number;
  steps: number;
  batch: number;
  batchSizes: number;
  rows: number;
  z: number;
  blockRows: number;
  full: number;
  projected: number;
}

export function emptyCall(): CallData {
  return {
    x: 0,
    xStride: 0,
    y: 0,
    yStride: 0,
    h: 0,
    c: 0,
    steps: 0,
    batch: 0,
    batchSizes: 0,
    rows: 0,
    z: 0,
    blockRows: 0,
    full: 0,
    projected: 0,
  };
}

/** The weights of nn.LSTM or nn.LSTMCell in linear memory: packed once, handed to the kernels as layer calls. */
export abstract class Recurrent extends Module {
  /** @internal */
  readonly sizes: LSTMSizes;
  readonly #directions: DirectionBlock[] = [];
  readonly #parameters = new Map<string, Parameter>();
  readonly #stepScratch: number;

  constructor(who: string, seed: unknown, sizes: LSTMSizes, values: ReadonlyMap<string, Float32Array> | undefined) {
    super(who, seed);
    this.sizes = sizes;
    // the size first, in one sum: an absurd number of layers must not be enumerated
    const layers = [this.#layerBytes(0), this.#layerBytes(1)] as const;
    const bytes = numDirections(sizes) * (layers[0] + (sizes.numLayers - 1) * layers[1]) + this.stepScratchBytes(1);
    const block = allocate(bytes);
    let at = block;
    for (let layer = 0; layer < sizes.numLayers; layer++) {
      for (let direction = 0; direction < numDirections(sizes); direction++) {
        const place = this.#direction(at, layer);
        const suffix = this.suffix(layer, direction);
        this.#directions.push(place);
        for (const spec of directionParameters(sizes, layer, suffix)) {
          this.#parameters.set(spec.name, {
            ...spec,
            place,
            kind: spec.name.slice(0, spec.name.length - suffix.length),
          });
        }
        at += this.#layerBytes(layer);
      }
    }
    this.#stepScratch = at;
    this.own(block);
    this.write(values ?? this.uniformValues(sizes.hiddenSize > 0 ? 1 / Math.sqrt(sizes.hiddenSize) : 0));
  }

  /** What follows `weight_ih` in a state-dict key. */
  protected abstract suffix(layer: number, direction: number): string;

  protected override specs(): ParameterSpec[] {
    return [...this.#parameters.values()];
  }

  #layerBytes(layer: number): number {
    const { hiddenSize, projSize } = this.sizes;
    const panels = gatePanels(hiddenSize);
    const bytes =
      panelBytes(panels, layerInputSize(this.sizes, layer)) +
      panelBytes(panels, outputSize(this.sizes)) +
      panelBytes(plainPanels(projSize), hiddenSize) +
      panelBytes(panels, 1) +
      panelBytes(plainPanels(projSize), 1) +
      2 * 4 * hiddenSize * 4;
    return Math.ceil(bytes / 64) * 64;
  }

  #direction(start: number, layer: number): DirectionBlock {
    const { hiddenSize, projSize } = this.sizes;
    const inputSize = layerInputSize(this.sizes, layer);
    const panels = gatePanels(hiddenSize);
    const ih = start;
    const hh = ih + panelBytes(panels, inputSize);
    const hr = hh + panelBytes(panels, outputSize(this.sizes));
    const bias = hr + panelBytes(plainPanels(projSize), hiddenSize);
    const hrBias = bias + panelBytes(panels, 1);
    const biasIh = hrBias + panelBytes(plainPanels(projSize), 1);
    const biasHh = biasIh + 4 * hiddenSize * 4;
    const end = biasHh + 4 * hiddenSize * 4;
    integers().fill(0, bias / 4, end / 4);
    return { inputSize, ih, hh, hr, bias, hrBias, biasIh, biasHh };
  }

  protected override read(name: string): Float32Array {
    const { hiddenSize, projSize } = this.sizes;
    const { place, kind } = this.#parameters.get(name)!;
    const gates = gateColumns(hiddenSize);
    const panels = gatePanels(hiddenSize);
    switch (kind) {
      case 'weight_ih':
        return unpack(place.ih, 4 * hiddenSize, place.inputSize, panels, gates);
      case 'weight_hh':
        return unpack(place.hh, 4 * hiddenSize, outputSize(this.sizes), panels, gates);
      case 'weight_hr':
        return unpack(place.hr, projSize, hiddenSize, plainPanels(projSize), plainColumns(projSize));
      default:
        return readFloats(kind === 'bias_ih' ? place.biasIh : place.biasHh, 4 * hiddenSize);
    }
  }

  protected override write(values: ReadonlyMap<string, Float32Array>): void {
    const { hiddenSize, projSize } = this.sizes;
    const gates = gateColumns(hiddenSize);
    const panels = gatePanels(hiddenSize);
    for (const [name, matrix] of values) {
      const { place, kind } = this.#parameters.get(name)!;
      if (kind === 'weight_ih') pack(place.ih, matrix, place.inputSize, panels, gates);
      else if (kind === 'weight_hh') pack(place.hh, matrix, outputSize(this.sizes), panels, gates);
      else if (kind === 'weight_hr') pack(place.hr, matrix, hiddenSize, plainPanels(projSize), plainColumns(projSize));
      else writeFloats(kind === 'bias_ih' ? place.biasIh : place.biasHh, matrix);
    }
    if (!this.sizes.bias) return;
    for (const block of this.#directions) {
      const ih = readFloats(block.biasIh, 4 * hiddenSize);
      const hh = readFloats(block.biasHh, 4 * hiddenSize);
      pack(
        block.bias,
        ih.map((value, i) => value + hh[i]!),
        1,
        panels,
        gates,
      );
    }
  }

  /** Bytes of scratch for steps of `rows` rows at once. @internal */
  stepScratchBytes(rows: number): number {
    const { hiddenSize, projSize } = this.sizes;
    const projection = projSize ? 4 * hiddenSize + panelBytes(plainPanels(projSize), 1) : 0;
    return rows * (panelBytes(gatePanels(hiddenSize), 1) + projection);
  }

  /** Lays out scratch for blocks of `blockRows` rows and steps of `batch` rows from `start`. @internal */
  placeScratch(data: CallData, start: number, blockRows: number, batch: number): void {
    const { hiddenSize, projSize } = this.sizes;
    const rows = Math.max(blockRows, batch);
    data.blockRows = blockRows;
    data.z = start;
    data.full = start + rows * panelBytes(gatePanels(hiddenSize), 1);
    data.projected = data.full + (projSize ? rows * 4 * hiddenSize : 0);
  }

  /** Scratch for one row that lives as long as the weights: what a stream's step uses. @internal */
  placeStepScratch(data: CallData): void {
    this.placeScratch(data, this.#stepScratch, 1, 1);
  }

  /** The order of fields is that of LayerCall in assembly/layer.ts. `k`: layer times directions plus direction. @internal */
  writeCall(pointer: number, k: number, data: CallData): void {
    const { hiddenSize, projSize } = this.sizes;
    const block = this.#directions[k]!;
    const memory = integers();
    let at = pointer / 4;
    memory[at++] = block.ih;
    memory[at++] = block.hh;
    memory[at++] = block.hr;
    memory[at++] = block.bias;
    memory[at++] = block.hrBias;
    memory[at++] = block.inputSize;
    memory[at++] = hiddenSize;
    memory[at++] = projSize;
    memory[at++] = k % numDirections(this.sizes);
    memory[at++] = data.x;
    memory[at++] = data.xStride;
    memory[at++] = data.y;
    memory[at++] = data.yStride;
    memory[at++] = data.h;
    memory[at++] = data.c;
    memory[at++] = data.steps;
    memory[at++] = data.batch;
    memory[at++] = data.batchSizes;
    memory[at++] = data.rows;
    memory[at++] = data.z;
    memory[at++] = data.blockRows;
    memory[at++] = data.full;
    memory[at++] = data.projected;
  }
}

export function callBytes(): number {
  return wasm().LAYER_CALL_BYTES.value;
}
