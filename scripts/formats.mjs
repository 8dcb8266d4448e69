// The formats: a row for each, from which the fuzzer (fuzz-formats.mjs), test/fuzz, test/hostile and test/limits take what they
// need. A new format adds its row here.
import { externalData, mutateExternal } from './fuzz-external.mjs';
import { mutateOnnx, runOnnx } from './fuzz-onnx.mjs';
import { fill, largeHdf5, largePickle, largeSafetensors, largeZip } from './large-files.mjs';
import * as mutants from './mutants.mjs';
import {
  externalSeed,
  guitarML,
  guitarMLGru,
  json,
  namContainers,
  onnxModels,
  onnxOperators,
  read,
  rtneuralGru,
  rtneuralKeras,
  rtneuralTorch,
} from './valid-files.mjs';

const latin1 = (bytes) => Buffer.from(bytes).toString('latin1');

/** Makes a value when it is needed first: a program for one format does not load the files of the others. */
function once(make) {
  let value;
  return () => {
    value ??= make();
    return value;
  };
}

/**
 * Makes the table.
 *
 * - `seeds()`: valid files that mutants are made of; `mutate(seed, random)`: a mutant
 * - `load(file)`: throws, or gives something that `run` can use; `run(loaded)`: three steps of it
 * - `first`: the codes of the first check, which at least 30 % of the mutants have to get past
 * - `small()`: a valid file as bytes; `fromBytes(bytes)`: those bytes as `load` takes them, if that is anything else
 * - `large`: files of 32 MB that ask for more than they may take
 * - `alsoReads`: other formats whose files are valid in this one
 * - `ignoresRest`: whether bytes after the end of a file mean nothing
 * @param doors the entry points: those of the built package, or of the sources
 */
export function makeFormats({ core, audio, keras, onnx, pytorch, safetensors }) {
  const fixtures = (folder, names, ending) => names.map((name) => read(`test/fixtures/${folder}/${name}${ending}`));
  const states = once(() => makeStates(core));
  const tfjs = (name) => ({
    json: json(`test/fixtures/keras/${name}.model.json`),
    weights: read(`test/fixtures/keras/${name}.weights.bin`),
  });
  /** A row of a JSON format of effects. */
  const effect = (load, seeds, large) => ({
    seeds: once(seeds),
    mutate: mutants.mutateJson,
    load,
    run: runAudio,
    first: ['invalid-json'],
    small: () => Buffer.from(JSON.stringify(seeds()[0])),
    fromBytes: latin1,
    large,
  });
  return {
    safetensors: {
      seeds: once(() =>
        fixtures('torch', ['layers_2', 'edge_all_1', 'cell_f16', 'doc_lstmcell_10_20'], '.safetensors'),
      ),
      mutate: mutants.mutateSafetensors,
      load: safetensors.parseSafetensors,
      run: (tensors) => runWeights(core, tensors),
      first: ['truncated', 'header-too-large', 'invalid-json', 'invalid-utf8'],
      small: () => {
        const a = { data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] };
        const b = { data: Float32Array.of(7), dims: [1] };
        return safetensors.serializeSafetensors({ a, b }, { made: 'here' });
      },
      large: {
        entries: () => largeSafetensors('{', '"":{"dtype":"F4","shape":[0],"data_offsets":[0,0]},'),
        metadata: () => largeSafetensors('{"__metadata__":{', '"":"",'),
        'one name': () => largeSafetensors('{"', 'k'),
        'one name of escapes': () => largeSafetensors('{"', '\\u0041'),
        'white space': () => largeSafetensors('{', ' '),
        'fields of an entry': () => largeSafetensors('{"x":{', '"a":1,'),
        'objects in objects': () => largeSafetensors('{"x":', '{"a":'),
      },
    },
    pytorch: {
      seeds: once(() => {
        const names = ['lstm', 'views', 'tied', 'parameters', 'integers', 'protocol_4', 'deflated', 'zip64'];
        return fixtures(
          'pytorch',
          [...names, 'newer_torch', 'legacy_format', 'legacy_parts', 'foreign_beside_2'],
          '.pt',
        );
      }),
      mutate: mutants.mutateCheckpoint,
      load: (file) => readCheckpoint(pytorch, file),
      run: (tensors) => runWeights(core, tensors),
      first: ['not-a-zip', 'truncated', 'invalid-zip', 'wrong-checksum', 'overlap', 'hole'],
      small: () => read('test/fixtures/pytorch/lstm.pt'),
      large: {
        marks: () => largePickle('(', '('),
        None: () => largePickle('N', 'N'),
        dicts: () => largePickle('}', '}'),
        lists: () => largePickle(']', ']'),
        'tuples in tuples': () => largePickle(')', '\x85'),
        'dicts in the memo': () => largePickle('}', '}\x940'),
        'a list of None': () => largePickle(']', '(NNNNNNNNNNNNNNNe'),
        integers: () => largePickle('', '\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f'),
        'short strings': () => largePickle('', '\x8c\x01a'),
        'one string': () => largePickle('X\x00\x00\xe8\x01', 'a'),
        'one string of three-byte characters': () => largePickle('X\x00\x00\xe8\x01', '\xe2\x82\xac'),
        'one name of a global': () => largePickle('c', 'a'),
        'one integer in digits': () => largePickle('I', '7'),
        globals: () => largePickle('', 'ctorch\nFloatStorage\n'),
        'entries of the zip': () => {
          return largeZip(
            Buffer.from('N.'),
            Array.from({ length: 300_000 }, (_, i) => `a/${i}`),
          );
        },
      },
    },
    nam: effect(audio.loadNam, () => [json('examples/guitar-amp/data/nam/lstm.nam'), ...namContainers()], {
      'arrays in arrays': () => fill('{"weights":[', '['),
      'an array of 0': () => fill('{"weights":[0', ',0'),
      'an array of numbers': () => fill('{"weights":[0', ',0.123456789'),
      'white space': () => fill('{', ' '),
    }),
    rtneural: effect(audio.loadRTNeural, () => [rtneuralKeras(), rtneuralGru(), rtneuralTorch()], {
      'an array of empty arrays': () => fill('{"layers":[0', ',[]'),
      'an array of empty objects': () => fill('{"layers":[0', ',{}'),
    }),
    'keras-tfjs': {
      seeds: once(() => {
        const names = ['default_hardsigmoid', 'sigmoid_sequences_states', 'mask_go_backwards'];
        return [...names, 'bidirectional_concat_nobias', 'all_layers'].map(tfjs);
      }),
      mutate: mutants.mutateTfjs,
      load: keras.loadKeras,
      run: runKeras,
      first: ['invalid-json'],
      small: () => Buffer.from(JSON.stringify(tfjs('default_hardsigmoid').json)),
      fromBytes: (bytes) => ({ modelJson: latin1(bytes), weights: tfjs('default_hardsigmoid').weights }),
      large: {
        'fields of weights': () => fill('{"weightsManifest":[{"weights":[0', ',{}'),
        layers: () => fill('{"modelTopology":{"config":{"layers":[0', ',{"config":{}}'),
        numbers: () => fill('{"modelTopology":[0', ',0'),
        'arrays in arrays': () => fill('{"modelTopology":', '['),
      },
    },
    'keras-h5': {
      seeds: once(() => fixtures('keras', ['model', 'chunks', 'newer'], '.h5')),
      mutate: mutants.mutateHdf5,
      load: (file) => keras.loadKeras({ h5: file }),
      run: runKeras,
      first: ['not-hdf5', 'truncated'],
      small: () => read('test/fixtures/keras/model.h5'),
      ignoresRest: true,
      large: { links: () => largeHdf5(600_000) },
    },
    'keras-pair': {
      seeds: once(() => [read('test/fixtures/keras/field/pair/weights.h5')]),
      mutate: mutants.mutateHdf5,
      load: (file) => keras.loadKeras({ modelJson: json('test/fixtures/keras/field/pair/model.json'), h5: file }),
      run: runKeras,
      first: ['not-hdf5', 'truncated'],
      small: () => read('test/fixtures/keras/field/pair/weights.h5'),
      ignoresRest: true,
      large: {},
    },
    'weights-h5': {
      seeds: once(() => fixtures('keras', ['model', 'chunks', 'h5py'], '.h5')),
      mutate: mutants.mutateHdf5,
      load: keras.readKerasWeights,
      run: () => {},
      first: ['not-hdf5', 'truncated'],
      small: () => read('test/fixtures/keras/h5py.h5'),
      alsoReads: ['keras-h5', 'keras-pair'],
      ignoresRest: true,
      large: {},
    },
    'keras-archive': {
      seeds: once(() => [
        read('test/fixtures/keras/model.keras'),
        read('test/fixtures/keras/field/windows/windows.keras'),
      ]),
      mutate: mutants.mutateArchive,
      load: (file) => keras.loadKeras({ keras: file }),
      run: runKeras,
      first: ['not-a-zip', 'truncated', 'invalid-zip', 'wrong-checksum', 'overlap', 'hole'],
      small: () => read('test/fixtures/keras/model.keras'),
      large: {},
    },
    guitarml: effect(audio.loadGuitarML, () => [guitarML(), guitarMLGru()], {
      'an array of words': () => fill('{"layers":[0', ',null'),
      'one string of JSON': () => fill('{"', 'k'),
    }),
    onnx: {
      seeds: once(onnxModels),
      mutate: mutateOnnx,
      load: (file) => {
        for (const tensor of onnx.parseOnnx(file).graph.initializers.values()) void tensor.data;
        return onnx.loadOnnx(file);
      },
      run: runOnnx,
      first: ['malformed', 'truncated', 'not-utf8', 'too-deep'],
      small: () => onnxOperators()[0],
      large: {},
    },
    'onnx-external': {
      seeds: once(() => [externalSeed()]),
      mutate: mutateExternal,
      load: (files) => {
        const given = { externalData: externalData(files) };
        for (const tensor of onnx.parseOnnx(files.model, given).graph.initializers.values()) void tensor.data;
        return onnx.loadOnnx(files.model, given);
      },
      run: runOnnx,
      first: ['malformed', 'truncated', 'not-utf8', 'too-deep'],
      small: () => externalSeed().model,
      fromBytes: (model) => ({ ...externalSeed(), model }),
      alsoReads: ['onnx'],
      large: {},
    },
    state: {
      seeds: () => states().seeds,
      mutate: mutants.mutateState,
      load: (file) => states().load(file),
      run: () => states().run(),
      first: ['not-a-state', 'damaged'],
      small: () => states().seeds[0],
      large: {},
    },
  };
}

/** Saved states: each stream takes those of its own shape only. */
function makeStates({ LSTM, LSTMCell }) {
  const models = [new LSTM(2, 3, { numLayers: 2 }), new LSTM(2, 3, { numLayers: 2, projSize: 1 }), new LSTMCell(2, 3)];
  const streams = models.map((model) => model.stream());
  return {
    seeds: streams.map((stream) => stream.save()),
    /** @throws what the first stream throws if none takes the state; an Error if that has changed one of them */
    load(bytes) {
      const [refusal, ...others] = streams.flatMap((stream) => {
        const before = stream.save();
        try {
          stream.load(bytes);
          return [];
        } catch (error) {
          if (Buffer.compare(before, stream.save()) !== 0) throw new Error('a refused state has changed the stream');
          return [error];
        }
      });
      if (others.length === streams.length - 1) throw refusal;
    },
    run() {
      for (const stream of streams) for (let step = 0; step < 3; step++) stream.step();
    },
  };
}

/** Reads a checkpoint; one that holds more, by the keys that the message names. */
function readCheckpoint({ ModelError, parseCheckpoint }, file) {
  try {
    return parseCheckpoint(file);
  } catch (error) {
    if (!(error instanceof ModelError) || error.code !== 'key-needed') throw error;
    return parseCheckpoint(file, { key: error.expected[0] });
  }
}

/** Runs three steps of the LSTM that has its weights there, under the first prefix. A ModelError is an answer. */
function runWeights({ LSTM }, tensors) {
  const first = [...tensors.keys()].find((name) => name.endsWith('weight_ih_l0'));
  if (first === undefined) return;
  const lstm = LSTM.fromStateDict(tensors, { prefix: first.slice(0, -'weight_ih_l0'.length) });
  try {
    lstm.forward({ data: new Float32Array(3 * lstm.inputSize).fill(0.5), dims: [3, lstm.inputSize] });
  } finally {
    lstm.dispose();
  }
}

/** Plays a block, with the number of knobs that the model has. */
function runAudio(model) {
  const block = new Float32Array(3).fill(0.5);
  for (let knobs = 0; ; knobs++) {
    try {
      model.process(block, block, Array(knobs).fill(0.5));
      break;
    } catch (error) {
      if (!/knobs/.test(error.message) || knobs > 100) throw error;
    }
  }
  model.dispose();
}

/** Calls predict three times with inputs of the shapes that the model declares. */
function runKeras(model) {
  const inputs = model.inputs.map(({ dims }) => {
    const sizes = dims.map((size, i) => size ?? (i === 0 ? 2 : 3));
    return { data: new Float32Array(sizes.reduce((a, b) => a * b, 1)).fill(1), dims: sizes };
  });
  try {
    const { length } = inputs.reduce((most, { data }) => (data.length > most.length ? data : most), []);
    if (length < 1e5) for (let call = 0; call < 3; call++) model.predict(inputs);
  } catch (error) {
    // it depends on the values: an index outside an Embedding, a dimension that the file leaves open
    if (!(error instanceof RangeError) || !/expected/.test(error.message)) throw error;
  } finally {
    model.dispose();
  }
}
