import { suffixOf } from '../shapes.mjs';

/** tf.basicLSTMCell's columns are in the order i, g, f, o; PyTorch's rows are i, f, g, o. */
const GATES = [0, 2, 1, 3];

/** TensorFlow.js on its WebAssembly backend, one thread. @type {import('../contestants.mjs').Open} */
export async function openWasm(shape, weights, { assets }) {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (assets) wasm.setWasmPaths(`${assets}@tensorflow/tfjs-backend-wasm/dist/`);
  wasm.setThreadsCount(1);
  return open('wasm', shape, weights);
}

/** TensorFlow.js on its plain JavaScript backend. @type {import('../contestants.mjs').Open} */
export async function openCpu(shape, weights) {
  return open('cpu', shape, weights);
}

/**
 * tf.basicLSTMCell in a loop, each step in a tidy and its h read at once: a third faster than tf.layers.lstm, and than a
 * loop with the input's product for all steps before it (measured, wasm, 40x128 T 100).
 */
async function open(backend, { I, H, L, D, T, B }, weights) {
  const tf = await import('@tensorflow/tfjs');
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js cannot start its ${backend} backend`);
  const noForgetBias = tf.scalar(0);

  /** The four gates of a parameter, last axis, in tf's order. */
  const reorder = (tensor) => {
    const gates = tf.split(tensor, 4, -1);
    return tf.concat(
      GATES.map((gate) => gates[gate]),
      -1,
    );
  };

  /** One direction of a layer: its weights and its state. */
  class Cell {
    constructor(layer, direction) {
      const [ih, hh, inputBias, recurrentBias] = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => {
        const { data, dims } = weights.get(name + suffixOf(layer, direction));
        return tf.tensor(data, dims);
      });
      this.width = layer === 0 ? I : D * H;
      this.kernel = tf.tidy(() => reorder(tf.transpose(tf.concat([ih, hh], 1))));
      this.bias = tf.tidy(() => reorder(tf.add(inputBias, recurrentBias)));
      tf.dispose([ih, hh, inputBias, recurrentBias]);
      this.reset();
    }

    reset() {
      tf.dispose([this.c, this.h]);
      this.c = tf.zeros([B, H]);
      this.h = tf.zeros([B, H]);
    }

    step(frame) {
      const { kernel, bias, width, c, h } = this;
      [this.c, this.h] = tf.tidy(() =>
        tf.basicLSTMCell(noForgetBias, kernel, bias, tf.tensor2d(frame, [B, width]), c, h),
      );
      tf.dispose([c, h]);
      return this.h.dataSync();
    }
  }

  const layers = Array.from({ length: L }, (_, layer) =>
    Array.from({ length: D }, (_, direction) => new Cell(layer, direction)),
  );
  const outputs = layers.map(() => new Float32Array(T * B * D * H));
  const [[first]] = layers;

  return {
    version: tf.version_core,
    step: (frame) => first.step(frame),
    forward(input) {
      let x = input;
      layers.forEach((cells, layer) => {
        const y = outputs[layer];
        cells.forEach((cell, direction) => {
          const size = B * cell.width;
          cell.reset();
          for (let s = 0; s < T; s++) {
            const t = direction ? T - 1 - s : s;
            const h = cell.step(x.subarray(t * size, (t + 1) * size));
            for (let b = 0; b < B; b++) y.set(h.subarray(b * H, (b + 1) * H), ((t * B + b) * D + direction) * H);
          }
        });
        x = y;
      });
      return x;
    },
  };
}
