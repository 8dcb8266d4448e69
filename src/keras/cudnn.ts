import { CELLS, type CellName } from '../cells/cells.ts';

// The weights that CuDNNLSTM and CuDNNGRU of Keras 2 save, which are in the layout of cuDNN. Keras converts them by the size of the bias
// (_convert_rnn_weights in keras/src/saving/legacy/hdf5_format.py), whichever class the layer has now.

/** Converts weights to the layout of LSTM or GRU, whose gates have the same order. The two biases of an LSTM are added. */
export function fromCudnn(
  cell: CellName,
  [kernel, recurrent, bias]: readonly Float32Array[],
  units: number,
): Float32Array[] {
  const half = bias!.length / 2;
  const row = CELLS[cell].gates * units;
  return [
    convertGates(kernel!, row, units),
    convertGates(recurrent!, row, units),
    cell === 'LSTM' ? Float32Array.from({ length: half }, (_, k) => bias![k]! + bias![half + k]!) : bias!,
  ];
}

/**
 * Converts a kernel (I, row), a row of gates of u units. The numbers of each gate, read row by row, are a matrix (u, I), which has to
 * be transposed; for a recurrent kernel (u, row) that transposes each gate.
 */
function convertGates(kernel: Float32Array, row: number, units: number): Float32Array {
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
