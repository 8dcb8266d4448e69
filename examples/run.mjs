// Every example, one after the other: `npm start`.
import { demonstrate as denoise } from './denoise/main.mjs';
import { demonstrate as guitarAmp } from './guitar-amp/main.mjs';
import { beBrief, runProgram } from './program.mjs';
import { demonstrate as voiceActivity } from './voice-activity/main.mjs';
import { demonstrate as wordSegmentation } from './word-segmentation/main.mjs';

runProgram({
  url: import.meta.url,
  usage: 'usage: node examples/run.mjs\n\nRuns every example and checks it against the published answer.',
  maxArguments: 0,
  async main() {
    beBrief();
    let ok = true;
    for (const demonstrate of [voiceActivity, denoise, wordSegmentation, guitarAmp]) {
      const right = await demonstrate({ isBrief: true });
      ok &&= right;
      console.log();
    }
    console.log(ok ? 'All checks are right.' : 'A check is WRONG.');
    return ok;
  },
});
