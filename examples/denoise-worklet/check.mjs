// For the tests: denoises samples without a sound card.
import { LstmNode } from 'lstm-wasm/worklet';
import { createDenoiser } from './denoise.mjs';

const PLACES = { processorUrl: '/processor.js', models: '/models' };

export async function denoise({ x, rate }) {
  const context = new OfflineAudioContext(1, x.length, rate);
  const denoiser = await createDenoiser(context, PLACES);
  const buffer = new AudioBuffer({ length: x.length, sampleRate: rate });
  buffer.copyToChannel(Float32Array.from(x), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(denoiser).connect(context.destination);
  source.start();
  // before anything is rendered, since that closes the context
  const models = { one: new ArrayBuffer(3), two: new ArrayBuffer(3) };
  const options = { processor: 'dtln', processorUrl: PLACES.processorUrl };
  const wrong = await LstmNode.create(context, models, options).catch(({ name, message }) => [name, message]);
  const output = [...(await context.startRendering()).getChannelData(0)];
  return { output, latency: denoiser.latency, wrong };
}
