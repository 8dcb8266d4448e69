// 60 seconds of an amp in an AudioWorklet of each browser on this machine, rendered offline: what a block takes, as a part of what it plays.
// Worklets have a clock of whole milliseconds, so single blocks are told only roughly. Needs dist/: npm run bench:worklet.
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BROWSERS } from '../scripts/browsers.mjs';
import { callIn, serve } from '../test/worklet/pages.mjs';

const SECONDS = 60;
const CASES = [
  ['mono, 48 kHz', 1, 48_000],
  ['stereo, 48 kHz', 2, 48_000],
  ['mono, 44.1 kHz, resampled', 1, 44_100],
];

const { url, server } = await serve(fileURLToPath(new URL('..', import.meta.url)));
console.log(`${cpus()[0].model}, ${SECONDS} s of Neural Amp Modeler's LSTM, blocks of 128 samples\n`);
console.log('| browser | | average load | blocks | above what they play | whole rendering, s |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { name, path, start } of BROWSERS) {
  if (!path) {
    console.log(`| ${name} | not on this machine | | | | |`);
    continue;
  }
  const browser = await start();
  const page = await browser.open(url);
  for (const [what, channels, rate] of CASES) {
    const measured = await callIn(page, '/test/worklet/page.mjs', 'load', [SECONDS, channels, rate]);
    const { average, blocks, late, milliseconds } = measured;
    const share = `${late} (${((100 * late) / blocks).toFixed(3)} %)`;
    const cells = [name, what, `${(100 * average).toFixed(2)} %`, blocks, share, (milliseconds / 1000).toFixed(2)];
    console.log(`| ${cells.join(' | ')} |`);
  }
  await browser.close();
}
server.close();
