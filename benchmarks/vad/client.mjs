import { MicVAD, NonRealTimeVAD } from '@ricky0123/vad-web';

/**
 * vad-web's microphone VAD, without the microphone: the model, and all that is done with a frame, is its own code.
 * @param model 'legacy', 'v5' or 'v6'
 * @param files the URL of the folder that has the models, and what the runtime loads
 */
export async function open(model, files) {
  const heard = { events: [], probabilities: [] };
  const note = (event) => (audio) =>
    heard.events.push([event, heard.probabilities.length - 1, ...(audio ? [audio.length] : [])]);
  const vad = await MicVAD.new({
    model,
    baseAssetPath: files,
    onnxWASMBasePath: files,
    startOnLoad: false,
    onFrameProcessed: ({ isSpeech }) => heard.probabilities.push(isSpeech),
    onSpeechStart: note('start'),
    onSpeechEnd: note('end'),
    onVADMisfire: note('misfire'),
  });
  vad.frameProcessor.resume();
  return { vad, heard };
}

/**
 * Frame by frame over a recording of 16 kHz, from silence.
 * @returns `events`: what happened, in which frame, and how many samples a segment has; the probability of each frame; and
 * the milliseconds that all took
 */
export async function listen({ vad, heard }, samples) {
  heard.events.length = heard.probabilities.length = 0;
  vad.frameProcessor.reset();
  const size = vad.frameSamples;
  const begin = performance.now();
  for (let at = 0; at + size <= samples.length; at += size) await vad.processFrame(samples.slice(at, at + size));
  const ms = performance.now() - begin;
  return { events: [...heard.events], probabilities: [...heard.probabilities], ms };
}

/** vad-web's VAD for recordings. */
export async function segments(files, samples) {
  const vad = await NonRealTimeVAD.new({ modelURL: `${files}silero_vad_legacy.onnx` });
  const found = [];
  for await (const { start, end, audio } of vad.run(samples, 16000)) found.push([start, end, audio.length]);
  return found;
}
