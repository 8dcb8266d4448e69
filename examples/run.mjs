// Every example, one after the other: `npm start`.
import { demonstrate as guitarAmp } from './guitar-amp/main.mjs';
import { runProgram } from './program.mjs';
import { demonstrate as wordSegmentation } from './word-segmentation/main.mjs';

runProgram({
  url: import.meta.url,
  usage: 'usage: node examples/run.mjs\n\nRuns every example and checks it against the published answer.',
  maxArguments: 0,
  main() {
    const words = wordSegmentation();
    console.log();
    const amp = guitarAmp();
    console.log();
    console.log(words && amp ? 'All checks are right.' : 'A check is WRONG.');
    return words && amp;
  },
});
