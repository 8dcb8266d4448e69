// What index.html does: plays a noisy recording, or the microphone, through the denoiser.
import { createDenoiser } from './denoise.mjs';

const element = (id) => document.getElementById(id);
const status = element('status');
let denoiser;

const PLACES = { processorUrl: '/processor.js', models: '/models' };

async function begin(openSource) {
  const context = new AudioContext();
  denoiser = await createDenoiser(context, PLACES);
  denoiser.addEventListener('error', ({ message }) => {
    status.textContent = message;
  });
  denoiser.bypass = !element('on').checked;
  const source = await openSource(context);
  source.connect(denoiser).connect(context.destination);
  element('on').addEventListener('change', ({ target }) => {
    denoiser.bypass = !target.checked;
  });
  for (;;) {
    const { average } = await denoiser.measureLoad(1);
    const late = `${(1000 * denoiser.latency).toFixed(1)} ms late`;
    status.textContent = `${context.sampleRate} Hz, ${late}, load ${(100 * average).toFixed(1)} %`;
  }
}

async function recording(context) {
  const bytes = await (await fetch('/noisy.wav')).arrayBuffer();
  const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes), loop: true });
  source.start();
  return source;
}

async function microphone(context) {
  const audio = { noiseSuppression: false, echoCancellation: false, autoGainControl: false };
  return new MediaStreamAudioSourceNode(context, { mediaStream: await navigator.mediaDevices.getUserMedia({ audio }) });
}

function start(openSource) {
  const buttons = [element('recording'), element('microphone')];
  for (const button of buttons) button.disabled = true;
  begin(openSource).catch((error) => {
    status.textContent = error.message;
    for (const button of buttons) button.disabled = false;
  });
}
element('recording').addEventListener('click', () => start(recording));
element('microphone').addEventListener('click', () => start(microphone));
