import { readEffect, readerOf } from './explain.ts';
import type { Field } from './field.ts';
import { readGuitarML } from './guitarml.ts';
import type { AudioModelParts } from './model.ts';
import { readNam } from './nam.ts';
import { readRTNeural } from './rtneural.ts';

/**
 * Reads a model of any of the three families, told by its fields.
 * @param json its text, or the object that JSON.parse makes of it
 * @throws ModelError that names the place in the file and what is wrong with it
 * @throws TypeError if `json` is neither a string nor an object
 */
export function readAnyEffect(who: string, json: unknown): AudioModelParts {
  return readEffect(who, readByFields, json, true);
}

function readByFields(who: string, file: Field): AudioModelParts {
  const [reader] = readerOf(file) ?? [];
  if (reader === 'NAM') return readNam(who, file);
  if (reader === 'GuitarML') return readGuitarML(who, file);
  if (reader === 'RTNeural') return readRTNeural(who, file);
  const expected = 'a model of Neural Amp Modeler, RTNeural or GuitarML, or a state dict';
  return file.refuse('unsupported', expected, `the fields ${file.keys().slice(0, 6).join(', ') || 'of nothing'}`);
}
