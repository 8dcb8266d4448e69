import { uniforms } from './random.ts';

// Models of TensorFlow.js made in place: what tests need is small.

export interface Weight {
  data: Float32Array;
  dims: number[];
}

export type LayerConfig = [className: string, config: Record<string, any>];

/** Numbers in ±scale. */
export function noise(dims: number[], seed = 1, scale = 1): Weight {
  const next = uniforms(seed);
  const count = dims.reduce((product, size) => product * size, 1);
  return { data: Float32Array.from({ length: count }, () => (2 * next() - 1) * scale), dims };
}

export function filled(dims: number[], value: number): Weight {
  return { data: new Float32Array(dims.reduce((product, size) => product * size, 1)).fill(value), dims };
}

/** [1, 2, 3] and [[1, 2], [3, 4]] as a tensor. */
export function nested(values: any): Weight {
  const dims: number[] = [];
  for (let at = values; Array.isArray(at); at = at[0]) dims.push(at.length);
  return { data: Float32Array.from(values.flat(Infinity)), dims };
}

export function sequential(layers: LayerConfig[], inputShape: (number | null)[], key = 'batch_input_shape') {
  const list = layers.map(([class_name, config], i) => {
    const name = config.name ?? `${class_name.toLowerCase()}_${i}`;
    return { class_name, config: { name, ...config, ...(i === 0 ? { [key]: inputShape } : {}) } };
  });
  return { class_name: 'Sequential', config: { name: 'sequential', layers: list } };
}

/** model.json and its weights. */
export function tfjs(model: object, weights: Record<string, Weight>, version = 'tfjs-layers 4.22.0') {
  const entries = Object.entries(weights);
  const bytes = new Uint8Array(entries.reduce((sum, [, { data }]) => sum + data.byteLength, 0));
  let at = 0;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  const list = entries.map(([name, { dims }]) => ({ name, shape: dims, dtype: 'float32' }));
  const modelJson: any = {
    format: 'layers-model',
    modelTopology: { ...model, keras_version: version },
    weightsManifest: [{ paths: ['weights.bin'], weights: list }],
  };
  return { modelJson, weights: bytes };
}

/** Weights of an LSTM layer by the names of TensorFlow.js. */
export function lstmWeights(name: string, inputs: number, units: number, seed = 1): Record<string, Weight> {
  return {
    [`${name}/kernel`]: noise([inputs, 4 * units], seed),
    [`${name}/recurrent_kernel`]: noise([units, 4 * units], seed + 1),
    [`${name}/bias`]: noise([4 * units], seed + 2),
  };
}
