import { crc32 } from '../../base/crc32.ts';
import { CliError } from '../errors.ts';
import type { Model } from '../model.ts';
import { formatCount, formatDims } from '../text.ts';

// Files that save() of a stream writes: src/nn/saved-state.ts and src/onnx/stream.ts say how it looks.

/** "LSTS" and "LSTG" as little-endian integers. */
const KINDS = new Map([
  [0x5354534c, 'saved state of an LSTM'],
  [0x4754534c, 'saved state of an ONNX stream'],
]);

export function isSavedState(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && KINDS.has(word(bytes, 0));
}

function word(bytes: Uint8Array, index: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4 * index, true);
}

/** Makes a Model of a saved state, which does not run but may be looked at. */
export function savedStateModel(bytes: Uint8Array): Model {
  const format = KINDS.get(word(bytes, 0))!;
  if (bytes.length < 16 || bytes.length % 4 !== 0)
    throw new CliError(`${format}: it is truncated, with ${bytes.length} bytes`);
  if (crc32(bytes.subarray(0, -4)) !== word(bytes, bytes.length / 4 - 1)) {
    throw new CliError(`${format}: its checksum is wrong, so it is damaged`);
  }
  const isLstm = format.endsWith('LSTM');
  const values = bytes.length / 4 - 1 - (isLstm ? 7 : 3);
  const options = isLstm ? lstmOf(bytes, values) : undefined;
  const message = `it is a state and no model: ${isLstm ? 'load() of a stream of such an LSTM' : 'load() of a stream of that model'} goes on from it`;
  const refuse = () => {
    throw new CliError(message);
  };
  return {
    format,
    facts: [
      ['version', String(word(bytes, 1))],
      ...(options
        ? [
            ['made for', `${options.cell ? 'LSTMCell' : 'LSTM'}(${options.inputSize}, ${options.hiddenSize})`] as const,
            ['h', formatDims([options.numLayers, options.projSize || options.hiddenSize])] as const,
            ['c', formatDims([options.numLayers, options.hiddenSize])] as const,
          ]
        : [['numbers', formatCount(values)] as const]),
    ],
    listings: [],
    details: { version: word(bytes, 1), ...options },
    lstms: [],
    parameters: 0,
    problem: { message, isBad: false },
    memory: () => 0,
    runner: refuse,
    chain: refuse,
  };
}

function lstmOf(bytes: Uint8Array, values: number) {
  if (bytes.length < 32) throw new CliError('saved state of an LSTM: it is truncated');
  const [cell, inputSize, hiddenSize, projSize, numLayers] = [2, 3, 4, 5, 6].map((index) => word(bytes, index)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const wanted = numLayers * ((projSize || hiddenSize) + hiddenSize);
  if (wanted !== values) throw new CliError(`saved state of an LSTM: expected ${wanted} numbers, got ${values}`);
  return { cell: cell !== 0, inputSize, hiddenSize, projSize, numLayers };
}
