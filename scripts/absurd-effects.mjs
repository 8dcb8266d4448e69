// node scripts/absurd-effects.mjs [COUNT [FIRST]]: makes COUNT valid but absurd files of effects from number FIRST on, loads and plays
// each, and prints a line for each that takes more than a second of the processor, more memory than it may, or throws anything but a
// ModelError. Before each it prints its number, so that a crash of the process names it: run it as a program of its own. Needs dist/.
import { bytesUsed, ModelError } from 'lstm-wasm';
import * as audio from 'lstm-wasm/audio';
import { SHAPES } from './effect-shapes.mjs';
import { makeRandom, pick } from './mutants.mjs';

const [count = 200, first = 0] = process.argv.slice(2).map(Number);
/** Numbers that any place may have: none, usual, prime, of the wrong kind, and far beyond any memory. */
const NUMBERS = [0, 0, -0, 1, 1, 2, 3, 16, 97, 4099, 0.5, -1, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 1e308];
/** Values of other types that a place may have. */
const VALUES = [null, true, '', '7', 'x'.repeat(1e5), [], {}, [[]], [null], Array(1e4).fill(0), Array(1e4).fill([])];
/** Names that are put in place of others, and those of objects. */
const NAMES = ['__proto__', 'constructor', 'length', 'weights', 'layers', 'model', 'config', '0', ''];
const COUNTS = [1, 1, 2, 3, 8, 31, 97, 256, 1024, 4099];

/** Lists the places of a value: each with its object, its key and its depth. */
function placesOf(value, places = [], depth = 0) {
  for (const key of Object.keys(value)) {
    places.push([value, key, depth]);
    // of long lists the first are enough
    if (Object(value[key]) === value[key] && places.length < 1000) placesOf(value[key], places, depth + 1);
  }
  return places;
}

/** Puts something absurd into a place of a file. */
function change(file, random) {
  const places = placesOf(file);
  const depth = random(4);
  const near = places.filter((place) => place[2] <= depth);
  const [object, key] = pick(random, near.length ? near : places);
  const action = random(6);
  if (action < 2) object[key] = pick(random, NUMBERS);
  else if (action === 2) object[key] = structuredClone(pick(random, VALUES));
  else if (action === 3 && Array.isArray(object[key]))
    object[key] = Array(pick(random, COUNTS)).fill(object[key][0] ?? 0);
  else if (action === 4 && !Array.isArray(object)) object[pick(random, NAMES)] = object[key];
  else if (action === 5 && Array.isArray(object)) object.push(...Array(pick(random, COUNTS)).fill(object[key]));
}

/** Puts a file of NAM into containers. */
function contain(file, random) {
  const depth = random(12);
  for (let level = 0; level < depth; level++) {
    const models = Array(pick(random, [1, 1, 1, 2])).fill(file);
    const slim = random(2) === 0;
    const config = slim
      ? { submodels: models.map((model, i) => ({ max_value: i + pick(random, [0, 1, 1]), model })) }
      : { models };
    file = { version: '0.7.0', architecture: slim ? 'SlimmableContainer' : 'Sequential', config };
  }
  return file;
}

function absurdEffect(index) {
  const random = makeRandom(index * 7919 + 1);
  const who = pick(random, Object.keys(SHAPES));
  const name = pick(random, Object.keys(SHAPES[who]));
  const text = SHAPES[who][name](pick(random, COUNTS));
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return { who, name, text };
  }
  for (let changes = random(3); changes > 0; changes--) change(file, random);
  if (who === 'NAM' && random(3) === 0) file = contain(file, random);
  const changed = JSON.stringify(file);
  // what reading takes is in proportion to the file: a second is for small ones
  return { who, name, text: changed.length < 2 ** 22 ? changed : text };
}

const LOADERS = { NAM: audio.loadNam, RTNeural: audio.loadRTNeural, GuitarML: audio.loadGuitarML };
const outcomes = new Map();
for (let index = first; index < first + count; index++) {
  process.stderr.write(`${index}\n`);
  const { who, name, text } = absurdEffect(index);
  const say = (what) => console.log(`${index} (${who}, ${name}): ${what}`);
  const start = process.cpuUsage();
  let outcome = 'ran';
  try {
    const model = LOADERS[who](text);
    const block = new Float32Array(64).fill(0.5);
    try {
      model.process(block, block);
    } catch (error) {
      // the knobs of a model, which are not given
      if (!/"knobs\[0\]"/.test(error.message)) throw error;
    }
    const held = bytesUsed();
    if (held > 3 * text.length + 2 ** 23) say(`${text.length} bytes hold ${held} bytes of linear memory`);
    model.dispose();
  } catch (error) {
    outcome = error instanceof ModelError ? error.code : 'wrong';
    if (outcome === 'wrong') say(error.stack);
    else if (error.message.length > 500) say(`a message of ${error.message.length} characters`);
  }
  const { user, system } = process.cpuUsage(start);
  const milliseconds = Math.round((user + system) / 1000);
  if (milliseconds > 1000) say(`${text.length} bytes took ${milliseconds} ms`);
  const { arrayBuffers } = process.memoryUsage();
  if (arrayBuffers > 2 ** 27) say(`${arrayBuffers} bytes of arrays`);
  if (bytesUsed() > 0) say(`left ${bytesUsed()} bytes of linear memory`);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
console.error(JSON.stringify(Object.fromEntries(outcomes)));
