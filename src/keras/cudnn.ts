// The weights that CuDNNLSTM of Keras 2 saves, which are in the layout of cuDNN. Keras converts them by the size of the bias
// (_convert_rnn_weights in keras/src/saving/legacy/hdf5_format.py), whichever class the layer has now.

const GATES = 4;

/** Tells whether the weights of an LSTM are in the layout of cuDNN: kernel, recurrent kernel and a bias of 8 units, not 4. */
export function isCudnn(weights: readonly Float32Array[], units: number): boolean {
  return weights[2]?.length === 2 * GATES * units;
}

/** Converts weights to the layout of LSTM. The gates are i, f, c, o in both; the two biases of each are added. */
export function fromCudnn([kernel, recurrent, bias]: readonly Float32Array[], units: number): Float32Array[] {
  const half = bias!.length / 2;
  return [
    convertGates(kernel!, units),
    convertGates(recurrent!, units),
    Float32Array.from({ length: half }, (_, k) => bias![k]! + bias![half + k]!),
  ];
}

/**
 * Converts a kernel (I, 4 u). The numbers of each gate, read row by row, are a matrix (u, I), which has to be transposed; for a
 * recurrent kernel (u, 4 u) that transposes each gate.
 */
function convertGates(kernel: Float32Array, units: number): Float32Array {
  const row = GATES * units;
  const inputs = kernel.length / row;
  const result = new Float32Array(kernel.length);
  for (let gate = 0; gate < row; gate += units) {
    for (let n = 0; n < inputs * units; n++) {
      const [from, to] = [Math.floor(n / units) * row + (n % units), (n % inputs) * row + Math.floor(n / inputs)];
      result[gate + to] = kernel[gate + from]!;
    }
  }
  return result;
}
