import { listen, open, segments } from './client.mjs';

const params = new URLSearchParams(location.search);
const FILES = '/files/';

/** From the request of the page to the first probability. */
async function begin() {
  const session = await open(params.get('model'), FILES);
  await session.vad.processFrame(new Float32Array(session.vad.frameSamples));
  return { session, start: performance.now() };
}

const begun = begin();
globalThis.start = async () => (await begun).start;
globalThis.listen = async (pass) => {
  const { session } = await begun;
  const wav = await (await fetch('/recording.wav')).arrayBuffer();
  const samples = Float32Array.from(new Int16Array(wav, 44), (sample) => sample / 32768);
  return pass === 'segments' ? segments(FILES, samples) : listen(session, samples);
};
