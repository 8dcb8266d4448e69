// Files of effects in the shapes that cost most for their size: each takes a count, and grows in proportion to it.

const join = (count, text, glue = ',') => Array.from({ length: count }, (_, i) => text(i)).join(glue);
const zeros = (count) => join(count, () => '0');
const shape = (size) => `[null,null,${size}]`;

/** A NAM file: an LSTM of one input. */
const nam = (H, layers, config = '') => {
  const count = 4 * H * (1 + H) + 6 * H + (layers - 1) * (8 * H * H + 6 * H) + H + 1;
  const sizes = `"input_size":1,"hidden_size":${H},"num_layers":${layers}`;
  return `{"version":"0.5.4","architecture":"LSTM","config":{${sizes}${config}},"weights":[${zeros(count)}]}`;
};
const container = (architecture, config) => `{"version":"0.7.0","architecture":"${architecture}","config":{${config}}}`;

const lstm = (I, H) => {
  const rows = (count) => `[${join(count, () => `[${zeros(4 * H)}]`)}]`;
  return `{"type":"lstm","shape":${shape(H)},"weights":[${rows(I)},${rows(H)},[${zeros(4 * H)}]]}`;
};
const gru = (I, H) => {
  const rows = (count) => `[${join(count, () => `[${zeros(3 * H)}]`)}]`;
  return `{"type":"gru","shape":${shape(H)},"weights":[${rows(I)},${rows(H)},${rows(2)}]}`;
};
const dense = (I, O) =>
  `{"type":"dense","shape":${shape(O)},"weights":[[${join(I, () => `[${zeros(O)}]`)}],[${zeros(O)}]]}`;
const layers = (list, I = 1) => `{"in_shape":${shape(I)},"layers":[${list}]}`;

const matrix = (rows, columns) => `[${join(rows, () => `[${zeros(columns)}]`)}]`;
/** The tensors of an nn.LSTM of one unit, or with 3 gates of an nn.GRU. */
const module = (name, gates = 4) =>
  `"${name}.weight_ih_l0":${matrix(gates, 1)},"${name}.weight_hh_l0":${matrix(gates, 1)},"${name}.bias_ih_l0":[${zeros(gates)}],"${name}.bias_hh_l0":[${zeros(gates)}]`;
const guitarML = (H, numLayers, dict, unit = 'LSTM') =>
  `{"model_data":{"model":"SimpleRNN","unit_type":"${unit}","input_size":1,"hidden_size":${H},"num_layers":${numLayers},"output_size":1,"skip":0},"state_dict":{${dict},"lin.weight":${matrix(1, H)}}}`;

/** By reader and name: a function of the count. */
export const SHAPES = {
  NAM: {
    'units of one layer': (n) => nam(Math.round(Math.sqrt(8 * n)), 1),
    'layers of one unit': (n) => nam(1, n),
    'models of one unit': (n) => container('Sequential', `"models":[${join(n, () => nam(1, 1))}]`),
    submodels: (n) =>
      container('SlimmableContainer', `"submodels":[${join(n, (i) => `{"max_value":${i + 1},"model":${nam(1, 1)}}`)}]`),
    'models that are empty': (n) => container('Sequential', `"models":[${join(n, () => '{}')}]`),
    'weights left over': (n) => nam(1, 1).replace('"weights":[', `"weights":[${'0,'.repeat(8 * n)}`),
    'names of the config': (n) =>
      nam(
        1,
        1,
        join(n, (i) => `,"k${i}":0`, ''),
      ),
    'one long name': (n) => nam(1, 1, `,"${'k'.repeat(16 * n)}":0`),
    'one long architecture': (n) => container('x'.repeat(16 * n), ''),
    'one long version': (n) => nam(1, 1).replace('0.5.4', `0.5.${'4'.repeat(16 * n)}`),
    'one long number': (n) => nam(1, 1).replace('[0', `[0.${'1'.repeat(16 * n)}`),
    'white space': (n) => nam(1, 1) + ' '.repeat(16 * n),
    'a text that is no JSON': (n) => 'amp '.repeat(4 * n),
    'a path': (n) => `${'./amp'.repeat(4 * n)}.nam`,
  },
  RTNeural: {
    'LSTMs of one unit': (n) => layers(`${join(n, () => lstm(1, 1))}`),
    'GRUs of one unit': (n) => layers(`${join(n, () => gru(1, 1))}`),
    'units of one GRU': (n) =>
      layers(`${gru(1, Math.round(Math.sqrt(8 * n)))},${dense(Math.round(Math.sqrt(8 * n)), 1)}`),
    'GRUs of a state dict': (n) => `{${join(n, (i) => module(`m${i}`, 3))},"out.weight":[[0]]}`,
    'dense layers of one unit': (n) => layers(`${join(n, () => dense(1, 1))}`),
    'a wide layer': (n) => layers(`${dense(1, 4 * n)},${dense(4 * n, 1)}`),
    'layers in turn wide and narrow': (n) => layers(join(Math.ceil(n / 32), () => `${dense(1, 64)},${dense(64, 1)}`)),
    'layers of rising size': (n) => {
      const sizes = Array.from({ length: Math.ceil(Math.cbrt(24 * n)) }, (_, i) => i + 1);
      return layers(`${sizes.map((size) => dense(size, size + 1))},${dense(sizes.length + 1, 1)}`);
    },
    knobs: (n) => layers(lstm(n, 1), n),
    'units of one LSTM': (n) =>
      layers(`${lstm(1, Math.round(Math.sqrt(8 * n)))},${dense(Math.round(Math.sqrt(8 * n)), 1)}`),
    'rows of no numbers': (n) => layers(lstm(1, 1).replace('[[[0', `[[${'[],'.repeat(4 * n)}[0`)),
    'layers that are empty': (n) => layers(join(8 * n, () => '{}')),
    'a shape of many sizes': (n) => layers(dense(1, 1).replace('[null', `[${'null,'.repeat(4 * n)}null`)),
    'one long type': (n) => layers(dense(1, 1).replace('dense', 'd'.repeat(16 * n))),
    'LSTMs of a state dict': (n) => `{${join(n, (i) => module(`m${i}`))},"out.weight":[[0]]}`,
    'linear layers of a state dict': (n) => `{${module('m')},${join(n, (i) => `"l${i}.weight":[[0]]`)}}`,
    'other keys of a state dict': (n) => `{${module('m')},${join(n, (i) => `"l${i}.x":[[0]]`)}}`,
    'one long name of a state dict': (n) => `{${module('m'.repeat(4 * n))},"out.weight":[[0]]}`,
    'rows of a matrix of a state dict': (n) => `{${module('m')},"out.weight":${matrix(4 * n, 1)}}`,
    'digits of names of a state dict': (n) =>
      `{${module('1'.repeat(n))},${module(`${'1'.repeat(n)}2`)},"out.weight":[[0]]}`,
  },
  GuitarML: {
    'layers of one unit': (n) =>
      guitarML(
        1,
        n,
        join(n, (i) => module('rec').replaceAll('_l0', `_l${i}`)),
      ),
    'layers of one unit of a GRU': (n) =>
      guitarML(
        1,
        n,
        join(n, (i) => module('rec', 3).replaceAll('_l0', `_l${i}`)),
        'GRU',
      ),
    'units of one layer': (n) => {
      const H = Math.round(Math.sqrt(8 * n));
      const dict = `"rec.weight_ih_l0":${matrix(4 * H, 1)},"rec.weight_hh_l0":${matrix(4 * H, H)}`;
      return guitarML(H, 1, `${dict},"rec.bias_ih_l0":[${zeros(4 * H)}],"rec.bias_hh_l0":[${zeros(4 * H)}]`);
    },
    'keys left over': (n) => guitarML(1, 1, `${module('rec')},${join(n, (i) => `"k${i}":0`)}`),
    'long sizes': (n) =>
      guitarML(1, 1, module('rec')).replace('"hidden_size":1', `"hidden_size":1${'0'.repeat(16 * n)}`),
  },
};
