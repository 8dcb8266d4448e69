// npm run formats [-- --write]: counts the operators of ONNX and the layers of Keras that run here, and the fixtures that cover each;
// with --write it writes the table of operators in docs/formats/onnx.md anew. Nothing else is needed than `npm ci`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { read } from './fuzz-onnx.mjs';

const root = new URL('../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
const PAGE = at('docs/formats/onnx.md');
const HEAD = '| operator | from operator set | not supported |\n| --- | --- | --- |\n';

/** What a file of src/ exports. */
async function load(path) {
  const options = { bundle: true, format: 'esm', write: false, platform: 'neutral', logLevel: 'error' };
  const { outputFiles } = await build({ ...options, entryPoints: [at(path)], absWorkingDir: at('.') });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** The operators of an ONNX file, those of subgraphs and functions included. @param {Uint8Array} file */
function operatorsOf(file) {
  const text = (fields, number) => {
    const found = fields.find((field) => field.number === number && field.kind === 'text');
    return found ? new TextDecoder().decode(found.value) : '';
  };
  const found = new Set();
  const visit = (fields) => {
    for (const { value, kind } of fields) {
      if (!Array.isArray(value)) continue;
      if (kind === 'node') found.add([text(value, 7), text(value, 4)].filter(Boolean).join('.'));
      visit(value);
    }
  };
  visit(read(file, 'model'));
  return found;
}

/** Folders of test/fixtures by operator. */
export function coverage() {
  const covered = new Map();
  const add = (name, folder) => {
    if (!covered.has(name)) covered.set(name, new Map());
    const folders = covered.get(name);
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  };
  for (const folder of readdirSync(at('test/fixtures')).filter((name) => name.startsWith('onnx-'))) {
    for (const file of readdirSync(at(`test/fixtures/${folder}`), { recursive: true })) {
      const path = at(`test/fixtures/${folder}/${file}`);
      if (file.endsWith('.onnx')) for (const name of operatorsOf(new Uint8Array(readFileSync(path)))) add(name, folder);
      if (!file.endsWith('.json')) continue;
      const json = JSON.parse(readFileSync(path, 'utf8'));
      for (const one of Array.isArray(json) ? json : []) {
        if (one.op) add(one.op, folder);
        if (one.model)
          for (const name of operatorsOf(new Uint8Array(Buffer.from(one.model, 'base64')))) add(name, folder);
      }
    }
  }
  return covered;
}

/** How often files of test/fixtures/keras name each layer, as far as they are not compressed. */
export function layerCoverage() {
  const covered = new Map();
  for (const file of readdirSync(at('test/fixtures/keras'), { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const text = readFileSync(`${file.parentPath}/${file.name}`, 'latin1');
    for (const [, name] of text.matchAll(/\\?"class_name\\?": ?\\?"(\w+)/g))
      covered.set(name, (covered.get(name) ?? 0) + 1);
  }
  return covered;
}

/** The table of operators, as docs/formats/onnx.md has it. */
export function table(operators) {
  const rows = [...operators].sort(([a], [b]) => (a < b ? -1 : 1));
  const line = ([name, { since = 7, limits = '' }]) => `| ${name} | ${since} | ${limits}${limits ? ' ' : ''}|\n`;
  return HEAD + rows.map(line).join('');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { OPERATORS } = await load('src/operators/operators.ts');
  const covered = coverage();
  console.log(`ONNX: ${OPERATORS.size} operators; cases in folders of test/fixtures:`);
  for (const name of [...OPERATORS.keys()].sort()) {
    const folders = [...(covered.get(name) ?? [])].map(([folder, count]) => `${folder.slice(5)} ${count}`);
    console.log(`  ${name.padEnd(38)}${folders.join(', ') || 'none'}`);
  }
  const { LAYERS } = await load('src/keras/layers.ts');
  const layers = layerCoverage();
  console.log(`Keras: ${LAYERS.size} layers; how often files of test/fixtures/keras name them:`);
  for (const name of [...LAYERS.keys()].sort()) console.log(`  ${name.padEnd(38)}${layers.get(name) ?? 'none'}`);
  if (argv.includes('--write')) {
    const [before] = readFileSync(PAGE, 'utf8').split(HEAD);
    writeFileSync(PAGE, before + table(OPERATORS));
  }
}
