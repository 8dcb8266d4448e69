import { fileURLToPath } from 'node:url';
import { serializeSafetensors } from 'lstm-wasm/safetensors';
import { codeBytes, compareSpeed, gzipBytes, openPeers, printBytes, startTime } from '../beside.mjs';
import { loadDtln, MODELS } from '../dtln/files.mjs';
import { BLOCK, DELAY, FRAME } from '../dtln/network.mjs';
import { readInput, repository } from '../program.mjs';
import { RealTransform } from '../sound/real-transform.mjs';
import { readWav } from '../sound/wav.mjs';
import { signalToError } from './measure.mjs';

/** Blocks that are compared, then timed round and round. */
const BLOCKS = 300;
const RATIO = { float: 90, int8: 30 };
/** Bytes that a page may load with 8-bit weights, and with float32 ones, about which nobody asked. */
const LARGEST = { float: 4_000_000, int8: 950_000 };
const MODEL_STATE = [1, 2, 128, 2];

const at = (path) => JSON.stringify(new URL(path, import.meta.url).href);

/** Measures speed, start and bytes. @returns {Promise<boolean>} whether all contestants gave the same */
export async function bench() {
  const [samples] = readWav(fileURLToPath(new URL('data/austen-white-hum.wav', import.meta.url))).channels;
  const blocks = Array.from({ length: BLOCKS }, (_, i) => samples.slice(i * BLOCK, (i + 1) * BLOCK));
  const networks = { float: loadDtln(), int8: loadDtln(undefined, true) };
  const peers = await openPeers();

  const streams = { 'lstm-wasm': networks.float.stream(), 'lstm-wasm, 8 bits': networks.int8.stream() };
  for (const [name, peer] of Object.entries(peers)) streams[name] = await openPeer(peer);
  const outputs = {};
  for (const [name, stream] of Object.entries(streams)) {
    outputs[name] = new Float32Array(BLOCKS * BLOCK);
    for (const [i, block] of blocks.entries()) {
      await stream.process(block, outputs[name].subarray(i * BLOCK, (i + 1) * BLOCK));
    }
  }
  let ok = true;
  for (const [name, output] of Object.entries(outputs)) {
    if (name === 'lstm-wasm') continue;
    const ratio = signalToError(output, outputs['lstm-wasm']);
    ok &&= ratio >= RATIO[name.endsWith('8 bits') ? 'int8' : 'float'];
    console.log(`${name}: output ${ratio.toFixed(0)} dB from ours`);
  }
  console.log();
  const place = new Float32Array(BLOCK);
  const calls = Object.entries(streams).map(([name, stream]) => {
    let next = 0;
    return [name, () => stream.process(blocks[next++ % BLOCKS], place)];
  });
  await compareSpeed(Object.fromEntries(calls), 'a block of 8 ms, transforms included');

  console.log('\nprocess start to the first block, milliseconds');
  const print = (name, ms) => console.log(`  ${name.padEnd(20)}${ms.toFixed(0).padStart(8)}`);
  print('an empty process', startTime(''));
  const first = `import { loadDtln } from ${at('../dtln/files.mjs')};`;
  print('lstm-wasm', startTime(`${first} loadDtln().stream().process(new Float32Array(128), new Float32Array(128));`));
  for (const name of Object.keys(peers)) print(name, startTime(peerStart(name)));

  console.log('\nwhat a page loads, MB with gzip: code with its wasm, and weights');
  const entry = `export { Dtln } from './network.mjs'; export { parseSafetensors } from 'lstm-wasm/safetensors';`;
  const code = await codeBytes(entry, fileURLToPath(new URL('../dtln', import.meta.url)));
  printBytes('float32', code, gzipBytes(serializeSafetensors(networks.float.stateDict())), LARGEST.float);
  printBytes('8 bits', code, gzipBytes(serializeSafetensors(networks.int8.quantizedStateDict())), LARGEST.int8);
  return ok;
}

/** The same blocks by both models in onnxruntime, states fed back, with our transforms. */
async function openPeer({ ort: { InferenceSession, Tensor }, options }) {
  const open = (name) => InferenceSession.create(readInput(`${MODELS}${name}.onnx`), options);
  const [one, two] = [await open('model_1'), await open('model_2')];
  const tensor = (...dims) => new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims);
  const feeds = [
    { input_2: tensor(1, 1, FRAME / 2 + 1), input_3: tensor(...MODEL_STATE) },
    { input_4: tensor(1, 1, FRAME), input_5: tensor(...MODEL_STATE) },
  ];
  const transform = new RealTransform(FRAME);
  const frame = new Float32Array(FRAME);
  const sum = new Float32Array(FRAME);
  return {
    async process(input, output) {
      frame.copyWithin(0, BLOCK);
      frame.set(input, DELAY);
      transform.forward(frame);
      transform.magnitudes(feeds[0].input_2.data);
      const first = await one.run(feeds[0]);
      feeds[0].input_3 = first.tf_op_layer_stack_2;
      transform.scale(first.activation_2.data);
      transform.inverse(feeds[1].input_4.data);
      const second = await two.run(feeds[1]);
      feeds[1].input_5 = second.tf_op_layer_stack_5;
      sum.copyWithin(0, BLOCK);
      sum.fill(0, DELAY);
      const decoded = second.conv1d_3.data;
      for (let n = 0; n < FRAME; n++) sum[n] += decoded[n];
      for (let n = 0; n < BLOCK; n++) output[n] = sum[n];
    },
  };
}

/** The code of a process that denoises its first block by onnxruntime. */
function peerStart(name) {
  const load = name.endsWith('node') ? 'loadNode' : 'loadWeb';
  return `import { readFileSync } from 'node:fs';
    import { ${load} } from ${JSON.stringify(repository('benchmarks/peers/onnxruntime.mjs').href)};
    const { ort: { InferenceSession, Tensor }, options } = await ${load}();
    const open = (name) => InferenceSession.create(readFileSync(${JSON.stringify(MODELS)} + name + '.onnx'), options);
    const zeros = (...dims) => new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims);
    const [one, two] = [await open('model_1'), await open('model_2')];
    await one.run({ input_2: zeros(1, 1, 257), input_3: zeros(1, 2, 128, 2) });
    await two.run({ input_4: zeros(1, 1, 512), input_5: zeros(1, 2, 128, 2) });`;
}
