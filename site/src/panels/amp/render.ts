import { LstmNode } from 'lstm-wasm/worklet';
import type { AmpFile } from './model-file.ts';
import { processor } from './processor.ts';

export interface Rendered {
  /** What the amp gives, sample for sample beside the input: its latency is taken away. */
  readonly output: Float32Array;
  /** Wall time of playing it, and the blocks of 128 samples in it. */
  readonly seconds: number;
  readonly blocks: number;
  /** Seconds by which the amp is late. */
  readonly latency: number;
  /** Inputs of the model beside the signal. */
  readonly knobs: number;
}

/**
 * Plays sound through an amp as fast as it goes, by the node that plays it live.
 * @param drive the factor in front of the amp
 * @throws ModelError if the file is no amp that plays here; Error if the browser has no worklets or no SIMD
 */
export async function render(
  amp: AmpFile,
  input: Float32Array,
  rate: number,
  drive: number,
  knobs: readonly number[] = [],
): Promise<Rendered> {
  const { url } = await processor();
  // the output of a model at another rate comes later
  const room = Math.round(rate * 0.02);
  const context = new OfflineAudioContext(1, input.length + room, rate);
  const node = await LstmNode.create(context, amp.text, { processorUrl: url });
  for (const [k, value] of knobs.entries()) if (node.knobs[k]) node.knobs[k].value = value;
  const buffer = context.createBuffer(1, input.length, rate);
  buffer.copyToChannel(input as Float32Array<ArrayBuffer>, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source
    .connect(new GainNode(context, { gain: drive }))
    .connect(node)
    .connect(context.destination);
  source.start();
  let failed: string | undefined;
  node.addEventListener('error', ({ message }) => {
    failed = message;
  });
  const begin = performance.now();
  const rendered = await context.startRendering();
  const seconds = (performance.now() - begin) / 1000;
  const late = Math.min(room, Math.round(node.latency * rate));
  const output = rendered.getChannelData(0).slice(late, late + input.length);
  const result = { output, seconds, blocks: rendered.length / 128, latency: node.latency, knobs: node.knobs.length };
  node.dispose();
  if (failed) throw new Error(failed);
  return result;
}
