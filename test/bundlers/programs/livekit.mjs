// What @livekit/agents-plugin-silero hears in a recording, as JSON: its path is the argument.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { initializeLogger, VADEventType } from '@livekit/agents';
import { VAD } from '@livekit/agents-plugin-silero';
import { AudioFrame } from '@livekit/rtc-node';

const FRAME = 512;
initializeLogger({ pretty: false, level: 'silent' });
const samples = new Int16Array(new Uint8Array(readFileSync(process.argv[2])).buffer.slice(44));
const stream = (await VAD.load()).stream();
const [events, probabilities] = [[], []];
(async () => {
  for await (const { type, probability, samplesIndex } of stream) {
    if (type === VADEventType.INFERENCE_DONE) probabilities.push(Number(probability.toFixed(5)));
    else events.push([type === VADEventType.START_OF_SPEECH ? 'start' : 'end', samplesIndex]);
  }
})();
for (let i = 0; i + FRAME <= samples.length; i += FRAME) {
  stream.pushFrame(new AudioFrame(samples.slice(i, i + FRAME), 16000, 1, FRAME));
}
// until nothing comes any more: it keeps some samples back, and its endInput() fails
for (let count = -1; count !== probabilities.length || count === 0; await wait(1000)) count = probabilities.length;
process.stdout.write(JSON.stringify({ events, probabilities }), () => process.exit(0));
