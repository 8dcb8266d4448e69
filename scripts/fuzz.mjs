// npm run fuzz [-- FORMAT ... [COUNT [FIRST]]]: reads COUNT mutants of each format (default 1,000,000 of all) from number FIRST
// (default 0), and fails if one gives anything but a result or a ModelError, takes more than a second, or if fewer than 30 %
// get past the first check. What fails is written to build/fuzz/: it belongs into the fixtures, with a test.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ModelError } from 'lstm-wasm';
import { FORMATS, tryMutant } from './fuzz-formats.mjs';

const finds = fileURLToPath(new URL('../build/fuzz/', import.meta.url));
const names = process.argv.slice(2).filter((word) => !/^\d+$/.test(word));
const numbers = process.argv.slice(2).filter((word) => /^\d+$/.test(word));
const [count = 1_000_000, first = 0] = numbers.map(Number);
const unknown = names.filter((name) => !(name in FORMATS));
if (unknown.length) {
  console.error(`error: no format ${unknown.join(', ')}; there are ${Object.keys(FORMATS).join(', ')}`);
  process.exit(2);
}

// a reader that changes it fails here
Object.freeze(Object.prototype);
let problems = 0;
for (const name of names.length ? names : Object.keys(FORMATS)) {
  const outcomes = new Map();
  const start = performance.now();
  let past = 0;
  let slowest = 0;
  for (let index = first; index < first + count; index++) {
    const mutant = tryMutant(name, index, ModelError);
    outcomes.set(mutant.outcome, (outcomes.get(mutant.outcome) ?? 0) + 1);
    if (mutant.past) past++;
    slowest = Math.max(slowest, mutant.milliseconds);
    if (mutant.problem !== undefined) {
      problems++;
      keep(`${name}-${index}`, mutant.file);
      console.error(`\n${name} ${index}, now in build/fuzz/: ${mutant.problem}`);
    }
    const done = index - first + 1;
    if (done % 1000 === 0) {
      const [start, end] = process.stderr.isTTY ? ['\r', ' '] : ['', '\n'];
      if (start || done % 50_000 === 0) {
        process.stderr.write(`${start}${name}: ${done} of ${count}, ${problems} problems${end}`);
      }
      // forgotten modules are freed between turns of the event loop
      await new Promise(setImmediate);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  const share = past / count;
  const loaded = outcomes.get('loaded') ?? 0;
  console.log(
    `${name}: ${count} mutants in ${seconds.toFixed(0)} s, ${loaded} loaded, ${(100 * share).toFixed(0)} % past the first check, slowest ${slowest.toFixed(0)} ms`,
  );
  const codes = [...outcomes].sort(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}`);
  console.log(`  ${codes.join(', ')}`);
  if (share < 0.3) {
    problems++;
    console.error(`${name}: fewer than 30 % get past the first check`);
  }
}

/** A file, or several by their name. */
function keep(path, file) {
  mkdirSync(finds, { recursive: true });
  if (typeof file === 'string' || ArrayBuffer.isView(file)) writeFileSync(finds + path, file);
  else for (const [part, content] of Object.entries(file)) keep(`${path}.${part}`, content);
}

console.log(problems === 0 ? 'No problems.' : `${problems} problems.`);
process.exitCode = problems === 0 ? 0 : 1;
