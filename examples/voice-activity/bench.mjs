import { fileURLToPath } from 'node:url';
import { serializeSafetensors } from 'lstm-wasm/safetensors';
import { codeBytes, compareSpeed, gzipBytes, openPeers, printBytes, startTime } from '../beside.mjs';
import { largestDifference, repository, tiny } from '../program.mjs';
import { readWav } from '../sound/wav.mjs';
import { Detector } from './detector.mjs';
import { openSmall } from './files.mjs';
import { readModel } from './model.mjs';
import { FRAME, RATE } from './network.mjs';
import { shrink } from './small.mjs';
import { readWeights } from './weights.mjs';

const CONTEXT = 64;
/** Frames that are compared, then timed round and round. */
const FRAMES = 300;
const TOLERANCE = 1e-4;
/** Bytes that a page may load. */
const LARGEST = { float: 1_150_000, int8: 350_000 };

const here = (name) => JSON.stringify(new URL(name, import.meta.url).href);

/** Measures speed, start and bytes. @returns {Promise<boolean>} whether all contestants heard the same */
export async function bench() {
  const [samples] = readWav(fileURLToPath(repository('test/fixtures/vad/mixed.wav'))).channels;
  const frames = Array.from({ length: FRAMES }, (_, i) => samples.slice(i * FRAME, (i + 1) * FRAME));
  const model = readModel('v6');
  const peers = await openPeers();

  const detectors = { 'lstm-wasm': new Detector(model, RATE) };
  for (const [name, peer] of Object.entries(peers)) detectors[name] = await openPeer(peer, model);
  detectors['layers alone'] = openSmall({ model: 'v6', int8: false });
  detectors['layers, 8 bits'] = openSmall({ model: 'v6', int8: true });
  const heard = {};
  for (const [name, detector] of Object.entries(detectors)) {
    heard[name] = [];
    for (const frame of frames) heard[name].push(await detector.push(frame));
  }
  let ok = true;
  for (const [name, probabilities] of Object.entries(heard)) {
    const worst = largestDifference(probabilities, heard['lstm-wasm']);
    // 8-bit weights answer a little otherwise, which is no mistake
    ok &&= worst <= (name.endsWith('8 bits') ? 0.1 : TOLERANCE);
    if (name !== 'lstm-wasm') console.log(`${name}: probabilities within ${tiny(worst)} of ours`);
  }
  console.log();
  const calls = Object.entries(detectors).map(([name, detector]) => {
    let at = 0;
    return [name, () => detector.push(frames[at++ % FRAMES])];
  });
  await compareSpeed(Object.fromEntries(calls), 'a frame of 32 ms');

  console.log('\nprocess start to the first probability, milliseconds');
  const print = (name, ms) => console.log(`  ${name.padEnd(20)}${ms.toFixed(0).padStart(8)}`);
  print('an empty process', startTime(''));
  print(
    'lstm-wasm',
    startTime(`import { Detector } from ${here('detector.mjs')}; import { readModel } from ${here('model.mjs')};
      new Detector(readModel('v6'), 16000).push(new Float32Array(512));`),
  );
  for (const name of Object.keys(peers)) print(name, startTime(peerStart(name)));

  console.log('\nwhat a page loads, MB with gzip: code with its wasm, and weights for 16 kHz');
  const weights = readWeights(model);
  const entry = `export { OneCaller, VoiceNetwork } from './network.mjs'; export { parseSafetensors } from 'lstm-wasm/safetensors';`;
  const code = (more) => codeBytes(entry + more, fileURLToPath(new URL('.', import.meta.url)));
  printBytes('float32', await code(''), gzipBytes(serializeSafetensors(weights)), LARGEST.float);
  const int8 = gzipBytes(serializeSafetensors(shrink(weights)));
  printBytes('8 bits', await code(`export { expand } from './small.mjs';`), int8, LARGEST.int8);
  return ok;
}

/** The same frames in onnxruntime, its state fed back. */
async function openPeer({ ort: { InferenceSession, Tensor }, options }, model) {
  const session = await InferenceSession.create(model, options);
  const input = new Float32Array(CONTEXT + FRAME);
  const sr = new Tensor('int64', BigInt64Array.of(BigInt(RATE)), []);
  let state = new Tensor('float32', new Float32Array(256), [2, 1, 128]);
  return {
    async push(samples) {
      input.copyWithin(0, FRAME);
      input.set(samples, CONTEXT);
      const { output, stateN } = await session.run({
        input: new Tensor('float32', input, [1, input.length]),
        state,
        sr,
      });
      state = stateN;
      return output.data[0];
    },
  };
}

/** The code of a process that gives its first probability by onnxruntime. */
function peerStart(name) {
  const load = name.endsWith('node') ? 'loadNode' : 'loadWeb';
  return `import { ${load} } from ${JSON.stringify(repository('benchmarks/peers/onnxruntime.mjs').href)};
    import { readModel } from ${here('model.mjs')};
    const { ort: { InferenceSession, Tensor }, options } = await ${load}();
    const session = await InferenceSession.create(readModel('v6'), options);
    await session.run({
      input: new Tensor('float32', new Float32Array(576), [1, 576]),
      state: new Tensor('float32', new Float32Array(256), [2, 1, 128]),
      sr: new Tensor('int64', BigInt64Array.of(16000n), []),
    });`;
}
