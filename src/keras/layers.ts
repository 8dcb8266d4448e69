import { readConv } from './conv.ts';
import { readDense } from './dense.ts';
import { readEmbedding } from './embedding.ts';
import { readBidirectional, readCudnnLstm, readLstm } from './lstm.ts';
import { readAny, readMasking, readNotEqual } from './masks.ts';
import { readBatchNormalization, readLayerNormalization } from './normalization.ts';
import type { LayerReader } from './plan.ts';
import { readGlobalMaxPooling1d, readMaxPooling1d } from './pooling.ts';
import {
  IDENTITIES,
  readActivationLayer,
  readFlatten,
  readIdentity,
  readRepeatVector,
  readReshape,
} from './simple-layers.ts';
import { readTimeDistributed } from './time-distributed.ts';

/** The readers of all supported layers except InputLayer, by class name. */
export const LAYERS: ReadonlyMap<string, LayerReader> = new Map<string, LayerReader>([
  ['Embedding', readEmbedding],
  ['Masking', readMasking],
  ['LSTM', readLstm],
  ['CuDNNLSTM', readCudnnLstm],
  ['Bidirectional', readBidirectional],
  ['TimeDistributed', readTimeDistributed],
  ['Dense', readDense],
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
  ['Conv1D', (config, name, dialect) => readConv(config, name, dialect, 1)],
  ['MaxPooling1D', readMaxPooling1d],
  ['GlobalMaxPooling1D', readGlobalMaxPooling1d],
  ['NotEqual', readNotEqual],
  ['Any', readAny],
]);
