// DTLN (Westhausen and Meyer, Interspeech 2020): a denoiser of two stacked LSTMs, 8 ms of sound at a time. It imports nothing of
// Node, so that a page or an AudioWorklet can bundle it.
import { LayerNorm, Linear, LSTM, ModelError, sigmoid } from 'lstm-wasm';
import { RealTransform } from '../sound/real-transform.mjs';

/** Samples a second, in a block, and in the frame of four blocks that the network sees. */
export const RATE = 16_000;
export const BLOCK = 128;
export const FRAME = 512;
/** Samples by which the output is late. */
export const DELAY = FRAME - BLOCK;

const BINS = FRAME / 2 + 1;
const CODES = 256;
const UNITS = 128;

/** @typedef {import('lstm-wasm').StateDict} StateDict */

/** The weights, which any number of streams share. */
export class Dtln {
  /**
   * @param {StateDict} weights by the keys of `stateDict()`; 8-bit weights, as `quantizedStateDict()` gives them, too
   * @throws ModelError if a tensor is missing or has another shape
   */
  constructor(weights) {
    this.maskLstm = LSTM.fromStateDict(weights, { prefix: 'mask.lstm.' });
    this.maskHead = Linear.fromStateDict(weights, { prefix: 'mask.head.' });
    this.encoder = Linear.fromStateDict(weights, { prefix: 'encoder.' });
    this.norm = LayerNorm.fromStateDict(weights, { prefix: 'norm.', eps: 1e-7 });
    this.codeLstm = LSTM.fromStateDict(weights, { prefix: 'code.lstm.' });
    this.codeHead = Linear.fromStateDict(weights, { prefix: 'code.head.' });
    this.decoder = Linear.fromStateDict(weights, { prefix: 'decoder.' });
    checkSizes('mask.lstm', sizesOfLstm(this.maskLstm), [BINS, UNITS, 2, 1]);
    checkSizes('code.lstm', sizesOfLstm(this.codeLstm), [CODES, UNITS, 2, 1]);
    checkSizes('mask.head', sizesOf(this.maskHead), [UNITS, BINS]);
    checkSizes('encoder', sizesOf(this.encoder), [FRAME, CODES]);
    checkSizes('norm', this.norm.normalizedShape, [CODES]);
    checkSizes('code.head', sizesOf(this.codeHead), [UNITS, CODES]);
    checkSizes('decoder', sizesOf(this.decoder), [CODES, FRAME]);
  }

  /** @returns {[prefix: string, module: import('lstm-wasm').Linear][]} */
  get #modules() {
    return [
      ['mask.lstm.', this.maskLstm],
      ['mask.head.', this.maskHead],
      ['encoder.', this.encoder],
      ['norm.', this.norm],
      ['code.lstm.', this.codeLstm],
      ['code.head.', this.codeHead],
      ['decoder.', this.decoder],
    ];
  }

  /** The weights under PyTorch's names. */
  stateDict() {
    return new Map(this.#modules.flatMap(([prefix, module]) => [...module.stateDict(prefix)]));
  }

  /** The same with 8-bit matrices, for a file of a quarter of the size, and for `new Dtln`. */
  quantizedStateDict() {
    return new Map(this.#modules.flatMap(([prefix, module]) => [...module.quantizedStateDict(prefix)]));
  }

  /** A sound that goes on from block to block. */
  stream() {
    return new DtlnStream(this);
  }

  dispose() {
    for (const [, module] of this.#modules) module.dispose();
  }
}

/** What a stream carries: the last frame, the sum of overlapping frames, h and c of four layers. A block makes no garbage. */
class DtlnStream {
  #network;
  #transform = new RealTransform(FRAME);
  #frame = new Float32Array(FRAME);
  #sum = new Float32Array(FRAME);
  #mask = tensor(BINS);
  #masked = tensor(FRAME);
  #code = tensor(CODES);
  #norm = tensor(CODES);
  #codeMask = tensor(CODES);
  #decoded = tensor(FRAME);
  #one;
  #two;
  // `out` of each layer, made once
  #intoMask = { out: this.#mask };
  #intoCode = { out: this.#code };
  #intoNorm = { out: this.#norm };
  #intoCodeMask = { out: this.#codeMask };
  #intoDecoded = { out: this.#decoded };

  /** @param {Dtln} network */
  constructor(network) {
    this.#network = network;
    this.#one = new Steps(network.maskLstm.stream());
    this.#two = new Steps(network.codeLstm.stream());
  }

  /**
   * Denoises the next block. The output is DELAY samples behind the input.
   * @param {Float32Array} input BLOCK samples in -1 .. 1
   * @param {Float32Array} output BLOCK samples, which may leave -1 .. 1; may be `input`
   */
  process(input, output) {
    const { maskHead, encoder, norm, codeHead, decoder } = this.#network;
    const frame = this.#frame;
    frame.copyWithin(0, BLOCK);
    frame.set(input, DELAY);

    // a mask for the spectrum, from its magnitudes
    const transform = this.#transform;
    transform.forward(frame);
    transform.magnitudes(this.#one.input);
    sigmoid(maskHead.forward(this.#one.step(), this.#intoMask), this.#intoMask);
    transform.scale(this.#mask.data);
    transform.inverse(this.#masked.data);

    // a mask for a learned code of the frame
    encoder.forward(this.#masked, this.#intoCode);
    norm.forward(this.#code, this.#intoNorm);
    this.#two.input.set(this.#norm.data);
    sigmoid(codeHead.forward(this.#two.step(), this.#intoCodeMask), this.#intoCodeMask);
    const code = this.#code.data;
    const codeMask = this.#codeMask.data;
    for (let k = 0; k < CODES; k++) code[k] *= codeMask[k];
    decoder.forward(this.#code, this.#intoDecoded);

    const sum = this.#sum;
    const decoded = this.#decoded.data;
    sum.copyWithin(0, BLOCK);
    sum.fill(0, DELAY);
    for (let n = 0; n < FRAME; n++) sum[n] += decoded[n];
    for (let n = 0; n < BLOCK; n++) output[n] = sum[n];
  }

  /** h and c of both LSTMs, (2, 128) each. */
  getState() {
    return { mask: this.#one.stream.getState(), code: this.#two.stream.getState() };
  }

  /** Begins anew, with silence before. */
  reset() {
    this.#frame.fill(0);
    this.#sum.fill(0);
    this.#one.stream.reset();
    this.#two.stream.reset();
  }

  dispose() {
    this.#one.stream.dispose();
    this.#two.stream.dispose();
  }
}

/** A stream of an LSTM whose output is a tensor: wrapped once, and again when memory has grown. */
class Steps {
  #output = tensor(UNITS);

  /** @param {import('lstm-wasm').LSTMStream} stream */
  constructor(stream) {
    this.stream = stream;
  }

  get input() {
    return this.stream.input;
  }

  step() {
    this.stream.step();
    const { output } = this.stream;
    if (this.#output.data !== output) this.#output = { data: output, dims: [UNITS] };
    return this.#output;
  }
}

function tensor(size) {
  return { data: new Float32Array(size), dims: [size] };
}

const sizesOf = ({ inFeatures, outFeatures }) => [inFeatures, outFeatures];

function sizesOfLstm({ inputSize, hiddenSize, numLayers, bidirectional, projSize }) {
  return [inputSize, projSize || hiddenSize, numLayers, bidirectional ? 2 : 1];
}

function checkSizes(path, found, expected) {
  if (expected.every((size, i) => size === found[i])) return;
  const message = `DTLN: "${path}" expected sizes ${expected.join(', ')}, got ${found.join(', ')}`;
  throw new ModelError(message, { code: 'wrong-shape', path, expected, found });
}
