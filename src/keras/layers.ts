import { readElu, readLeakyRelu, readPrelu, readRelu, readSoftmax, readThresholdedRelu } from './activation-layers.ts';
import { readAdditiveAttention, readAttention } from './attention.ts';
import { readConv, readDepthwiseConv } from './conv.ts';
import { readDense } from './dense.ts';
import { readEmbedding } from './embedding.ts';
import { readAny, readExpandDims, readFilled, readMasking, readNotEqual } from './masks.ts';
import { ELEMENTWISE, readConcatenate, readDot, readElementwise } from './merge.ts';
import { readBatchNormalization, readLayerNormalization } from './normalization.ts';
import type { LayerReader } from './plan.ts';
import { POOLING } from './pooling.ts';
import { readBidirectional, readRecurrent } from './recurrent.ts';
import { readRnn } from './rnn.ts';
import {
  IDENTITIES,
  readActivationLayer,
  readFlatten,
  readIdentity,
  readRepeatVector,
  readReshape,
} from './simple-layers.ts';
import { readCropping, readPermute, readUpSampling, readZeroPadding } from './step-layers.ts';
import { readTimeDistributed } from './time-distributed.ts';

/** The readers of all supported layers except InputLayer, by class name. */
export const LAYERS: ReadonlyMap<string, LayerReader> = new Map<string, LayerReader>([
  ['Embedding', readEmbedding],
  ['Masking', readMasking],
  ...['LSTM', 'GRU', 'SimpleRNN', 'CuDNNLSTM', 'CuDNNGRU'].map((name): [string, LayerReader] => [
    name,
    readRecurrent(name),
  ]),
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
  ['Conv2D', (config, name, dialect) => readConv(config, name, dialect, 2)],
  ['DepthwiseConv1D', (config, name, dialect) => readDepthwiseConv(config, name, dialect, 1)],
  ['DepthwiseConv2D', (config, name, dialect) => readDepthwiseConv(config, name, dialect, 2)],
  ...POOLING,
  ['ZeroPadding1D', (config, name, dialect) => readZeroPadding(config, name, dialect, 1)],
  ['ZeroPadding2D', (config, name, dialect) => readZeroPadding(config, name, dialect, 2)],
  ['Cropping1D', (config, name, dialect) => readCropping(config, name, dialect, 1)],
  ['Cropping2D', (config, name, dialect) => readCropping(config, name, dialect, 2)],
  ['UpSampling1D', (config, name, dialect) => readUpSampling(config, name, dialect, 1)],
  ['UpSampling2D', (config, name, dialect) => readUpSampling(config, name, dialect, 2)],
  ['Permute', readPermute],
  ['RNN', readRnn],
  ['ReLU', readRelu],
  ['LeakyReLU', readLeakyRelu],
  ['ELU', readElu],
  ['PReLU', readPrelu],
  ['ThresholdedReLU', readThresholdedRelu],
  ['Softmax', readSoftmax],
  ...Object.keys(ELEMENTWISE).map((className): [string, LayerReader] => [
    className,
    (_, name, dialect) => readElementwise(className, name, dialect),
  ]),
  ['Concatenate', readConcatenate],
  ['Dot', readDot],
  ['Attention', readAttention],
  ['AdditiveAttention', readAdditiveAttention],
  ['NotEqual', readNotEqual],
  ['Any', readAny],
  ['ExpandDims', readExpandDims],
  ['ZerosLike', readFilled(0)],
  ['OnesLike', readFilled(1)],
]);
