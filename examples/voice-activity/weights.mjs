import { ModelError, parseOnnx } from 'lstm-wasm/onnx';

const PREFIX = 'If_0_then_branch__Inline_0__';

/**
 * The weights for 16 kHz of Silero VAD v5 or v6, for VoiceNetwork. They are constants in a branch of the file's graph. A convolution
 * is a matrix here, of [outputs, taps, channels], without the taps that only ever meet the zeros around a frame's few columns.
 * @param {Uint8Array} bytes the ONNX file
 * @returns {Map<string, import('lstm-wasm').TensorLike>}
 * @throws ModelError if the file is damaged or another model
 */
export function readWeights(bytes) {
  const branch = parseOnnx(bytes)
    .graph.nodes.find(({ opType }) => opType === 'If')
    ?.attributes.get('then_branch');
  const constants = new Map();
  for (const node of branch?.nodes ?? []) {
    if (node.opType === 'Constant') constants.set(node.outputs[0], node.attributes.get('value'));
  }
  const take = (name) => {
    const tensor = constants.get(PREFIX + name);
    if (tensor?.data instanceof Float32Array) return { data: tensor.data, dims: [...tensor.dims] };
    const message = `Silero VAD: the constant "${PREFIX}${name}" is missing: is this file of v5 or v6?`;
    throw new ModelError(message, { code: 'wrong-model', path: PREFIX + name, expected: 'float32', found: undefined });
  };
  const encoder = (i, taps) => [
    [`encoder.${i}.weight`, matrix(take(`encoder.${i}.reparam_conv.weight`), taps)],
    [`encoder.${i}.bias`, take(`encoder.${i}.reparam_conv.bias`)],
  ];
  return new Map([
    ...encoder(0, [0, 1, 2]),
    ...encoder(1, [0, 1, 2]),
    ...encoder(2, [1, 2]),
    ...encoder(3, [1]),
    ...['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => [`lstm.${name}_l0`, take(`decoder.rnn.${name}`)]),
    ['head.weight', matrix(take('decoder.decoder.2.weight'), [0])],
    ['head.bias', take('decoder.decoder.2.bias')],
  ]);
}

/** A kernel of [outputs, channels, size] as a matrix of [outputs, taps * channels]. */
function matrix({ data, dims: [outputs, channels, size] }, taps) {
  const result = new Float32Array(outputs * taps.length * channels);
  let at = 0;
  for (let o = 0; o < outputs; o++) {
    for (const tap of taps) for (let c = 0; c < channels; c++) result[at++] = data[(o * channels + c) * size + tap];
  }
  return { data: result, dims: [outputs, taps.length * channels] };
}
