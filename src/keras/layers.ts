import { readDense } from './dense.ts';
import { readBidirectional, readCudnnLstm, readLstm } from './lstm.ts';
import { readAny, readMasking, readNotEqual } from './masks.ts';
import { readBatchNormalization, readLayerNormalization } from './normalization.ts';
import type { LayerReader } from './plan.ts';
import {
  IDENTITIES,
  readActivationLayer,
  readEmbedding,
  readFlatten,
  readIdentity,
  readRepeatVector,
  readReshape,
  readTimeDistributed,
} from './simple-layers.ts';
import { readConv1d, readGlobalMaxPooling1d, readMaxPooling1d } from './windows.ts';

/** The readers of all supported layers except InputLayer, by class name. */
export const LAYERS: ReadonlyMap<string, LayerReader> = new Map<string, LayerReader>([
  ['Embedding', readEmbedding],
  ['Masking', readMasking],
  ['LSTM', readLstm],
  ['CuDNNLSTM', readCudnnLstm],
  ['Bidirectional', readBidirectional],
  ['TimeDistributed', readTimeDistributed],
  ['Dense', (config, name, dialect) => readDense(config, name, dialect)],
  ...[...IDENTITIES].map(([className, ranks]): [string, LayerReader] => [
    className,
    (_, name) => readIdentity(ranks, name),
  ]),
  ['Activation', readActivationLayer],
  ['Flatten', readFlatten],
  ['Reshape', readReshape],
  ['RepeatVector', readRepeatVector],
  ['BatchNormalization', readBatchNormalization],
  ['LayerNormalization', readLayerNormalization],
  ['Conv1D', readConv1d],
  ['MaxPooling1D', readMaxPooling1d],
  ['GlobalMaxPooling1D', readGlobalMaxPooling1d],
  ['NotEqual', readNotEqual],
  ['Any', readAny],
]);
