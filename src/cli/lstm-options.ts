import { LSTM, type LSTMCell } from '../index.ts';

/** Gives the options of an LSTM as nn.LSTM has them, in camelCase. */
export function optionsOf(lstm: LSTM | LSTMCell): Record<string, number | boolean> {
  if (!(lstm instanceof LSTM))
    return { cell: true, inputSize: lstm.inputSize, hiddenSize: lstm.hiddenSize, bias: lstm.bias };
  const { inputSize, hiddenSize, numLayers, bias, bidirectional, projSize } = lstm;
  return { inputSize, hiddenSize, numLayers, bias, bidirectional, projSize };
}

/** Writes options in a line, without those that are off. */
export function formatOptions(options: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(options).flatMap(([name, value]) => {
    if (name === 'bias' || name === 'use_bias') return value ? [] : [`${name}: false`];
    if (value === false || value === 0) return [];
    return [value === true ? name : `${name}: ${value}`];
  });
  return words.join(', ');
}
