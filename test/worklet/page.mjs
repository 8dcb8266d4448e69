// What tests run in a page: programs of a user, with the built package at its paths.
import { LstmNode } from '/dist/worklet.js';
import { processorText } from '/dist/worklet-text.js';

const AMPS = '/examples/guitar-amp/data/';
const text = async (path) => (await fetch(path)).text();
const numbers = (csv) => Float32Array.from(csv.trim().split('\n'), Number);

/** The published recordings: what goes in, and what has to come out. */
const PUBLISHED = {
  async nam() {
    const wav = new DataView((await (await fetch(`${AMPS}nam/guitar-48k.wav`)).arrayBuffer()).slice(44));
    const input = Float32Array.from({ length: wav.byteLength / 2 }, (_, n) => wav.getInt16(2 * n, true) / 32768);
    const expected = new Float32Array(await (await fetch(`${AMPS}nam/lstm.expected.f32`)).arrayBuffer());
    return { file: await text(`${AMPS}nam/lstm.nam`), input, expected };
  },
  async rtneural() {
    const path = `${AMPS}rtneural/lstm_torch`;
    const [input, expected] = [await text(`${path}_x_python.csv`), await text(`${path}_y_python.csv`)];
    return { file: await text(`${path}.json`), input: numbers(input), expected: numbers(expected) };
  },
};

/** A source that plays channels of samples. */
function sourceOf(context, channels) {
  const buffer = context.createBuffer(channels.length, channels[0].length, context.sampleRate);
  for (const [c, samples] of channels.entries()) buffer.copyToChannel(samples, c);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.start();
  return source;
}

function offline(channels, length, sampleRate = 48_000, renderSizeHint = undefined) {
  return new OfflineAudioContext({ numberOfChannels: channels, length, sampleRate, renderSizeHint });
}

async function render(context, node, channels) {
  sourceOf(context, channels).connect(node).connect(context.destination);
  const rendered = await context.startRendering();
  return Array.from({ length: rendered.numberOfChannels }, (_, c) => rendered.getChannelData(c));
}

const largestDifference = (a, b) => a.reduce((most, x, n) => Math.max(most, Math.abs(x - b[n])), 0);

/** The largest difference from what was published, and the quantum at which the engine rendered. */
export async function published([name, renderSizeHint, channels, asText]) {
  const { file, input, expected } = await PUBLISHED[name]();
  const context = offline(channels, input.length, 48_000, renderSizeHint);
  const processorUrl = asText ? URL.createObjectURL(new Blob([processorText], { type: 'text/javascript' })) : undefined;
  const node = await LstmNode.create(context, file, { channels, processorUrl });
  const outputs = await render(context, node, Array(channels).fill(input));
  const differences = outputs.map((output) => largestDifference(expected, output));
  return { quantum: context.renderQuantumSize ?? 128, latency: node.latency, samples: input.length, differences };
}

/** What becomes of calls that are wrong: the errors' names and messages, and a fact or two. */
export async function errors() {
  const context = offline(1, 48_000);
  const { file } = await PUBLISHED.nam();
  const waveNet = JSON.stringify({ ...JSON.parse(file), architecture: 'WaveNet' });
  const attempt = (promise) =>
    promise.then(
      () => 'ok',
      ({ name, message, code }) => [name, message, code].filter((part) => part !== undefined),
    );
  const missing = { processorUrl: '/nowhere.js' };
  const result = {
    model: await attempt(LstmNode.create(context, waveNet)),
    rate: await attempt(LstmNode.create(context, file, { sampleRate: 5 })),
    url: await attempt(LstmNode.create(context, file, missing)),
    option: await attempt(LstmNode.create(context, file, { gain: 2 })),
    context: await attempt(LstmNode.create({}, file)),
    closed: await attempt(LstmNode.create({ sampleRate: 48_000, state: 'closed', audioWorklet: {} }, file)),
    insecure: await attempt(LstmNode.create({ sampleRate: 48_000, state: 'running' }, file)),
    constructed: await attempt((async () => new LstmNode(context, 'lstm-wasm/0'))()),
  };
  const node = await LstmNode.create(context, file);
  result.load = await attempt(node.load('{}'));
  const event = new Promise((resolve) => node.addEventListener('error', resolve));
  node.port.postMessage({ type: 'nonsense' });
  const { message, error } = await event;
  result.event = [error.name, message];
  const pending = attempt(node.load(file));
  node.dispose();
  node.dispose();
  result.disposed = [await pending, await attempt((async () => node.reset())()), await attempt(node.load(file))];
  return result;
}

/** A knob's AudioParam, an elu that needs more kernels, a state dict of tensors, bypass and loading: what comes out of each. */
export async function features(files) {
  const input = Float32Array.from({ length: 4800 }, (_, n) => Math.sin(n / 20) / 2);
  const play = async (model, options, prepare, rate) => {
    const context = offline(1, input.length, rate);
    const node = await LstmNode.create(context, model, options);
    await prepare?.(node, context);
    const [output] = await render(context, node, [input]);
    return { output: [...output], latency: node.latency, knobs: node.knobs.length };
  };
  const dict = new Map(files.dict.map(([key, data, dims]) => [key, { data: Float32Array.from(data), dims }]));
  return {
    input: [...input],
    elu: await play(files.elu),
    dict: await play(dict),
    knobs: await play(files.knobs, { knobs: [0.25, 0.5] }, (node) => node.knobs[1].setValueAtTime(-0.5, 0)),
    bypass: await play(files.knobs, { bypass: true }),
    loaded: await play(files.knobs, { fade: 0.01, bypass: true }, async (node) => {
      await node.load(files.elu);
      node.bypass = false;
      // an answer comes after what was said before
      await node.measureLoad(0);
    }),
    resampled: await play(files.knobs, { sampleRate: 44_100 }),
    measured: await play(files.elu, {}, async (node) => {
      const { average, peak, blocks, late } = await node.measureLoad(0.01);
      if (![average, peak, blocks, late].every((x) => x === 0)) throw new Error('measured without a block');
    }),
  };
}

/** Plays `seconds` of noise and measures the blocks. */
export async function load([seconds, channels, rate]) {
  const { file } = await PUBLISHED.nam();
  const context = offline(channels, seconds * rate, rate);
  const node = await LstmNode.create(context, file, { channels });
  const noise = Float32Array.from({ length: rate }, () => Math.random() - 0.5);
  const buffer = context.createBuffer(1, rate, rate);
  buffer.copyToChannel(noise, 0);
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  source.start();
  source.connect(node).connect(context.destination);
  const start = performance.now();
  const measured = await node.measureLoad(() => context.startRendering());
  return { ...measured, milliseconds: performance.now() - start };
}
