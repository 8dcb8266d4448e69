import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GUITARML_MODELS, GUITARML_UNITS } from '../src/audio/guitarml.ts';
import { NAM_ARCHITECTURES, NAM_VERSION } from '../src/audio/nam.ts';
import { RTNEURAL_ACTIVATIONS, RTNEURAL_LAYERS, RTNEURAL_RECURRENT_ACTIVATIONS } from '../src/audio/rtneural.ts';
import { DTYPES, RAW_DTYPES } from '../src/files/dtypes.ts';
import { MAX_RATIO, METHODS } from '../src/files/zip/zip-directory.ts';
import { GLOBALS, STORAGE_TYPES } from '../src/pytorch/globals.ts';
import { OPCODES } from '../src/pytorch/opcodes.ts';
import { MAX_PROTOCOL } from '../src/pytorch/pickle-cursor.ts';
import { MAX_HEADER } from '../src/safetensors/header.ts';

// The pages of formats say what the code's own tables say.

const page = (name: string) => readFileSync(new URL(`../docs/formats/${name}.md`, import.meta.url), 'utf8');

/** What stands behind `<!-- name -->`: to the next such comment on the line, or the paragraph, list or table. */
function section(text: string, name: string): string {
  const mark = `<!-- ${name} -->`;
  expect(text.split(mark)).toHaveLength(2);
  const rest = text.split(mark)[1]!;
  return rest.startsWith('\n') ? rest.slice(1).split('\n\n')[0]! : rest.split('<!-- end -->')[0]!;
}

const words = (text: string) => text.split(/,\s+/);

test('pytorch.md', () => {
  const text = page('pytorch');
  const rows = [...STORAGE_TYPES].map(([name, dtype]) => {
    const array = DTYPES.get(dtype)!.read(new ArrayBuffer(8)).constructor.name;
    return `| \`${name}\` | ${dtype} | ${array} |`;
  });
  expect(section(text, 'types').split('\n').slice(2)).toEqual(rows);
  const globals = [...GLOBALS.keys()].filter((name) => !STORAGE_TYPES.has(name));
  expect(section(text, 'globals').split('\n')).toEqual(globals.map((name) => `- \`${name}\``));
  expect(words(section(text, 'opcodes'))).toEqual([...OPCODES.values()].map(({ name }) => name));
  expect(text).toContain(`protocols 1 to ${MAX_PROTOCOL}`);
  expect(text).toContain([...METHODS.values()].join(' or '));
  expect(text).toContain(`more than ${MAX_RATIO} times`);
});

test('safetensors.md', () => {
  const text = page('safetensors');
  const rows = [...DTYPES].map(([name, { bits, read }]) => {
    const array = read(new ArrayBuffer(8)).constructor.name;
    return `| ${name} | ${bits} | ${array}${RAW_DTYPES.includes(name) ? ', the bytes of the file' : ''} |`;
  });
  expect(section(text, 'dtypes').split('\n').slice(2)).toEqual(rows);
  expect(text).toContain(`longer than ${MAX_HEADER.toLocaleString('en')} bytes`);
});

test('audio.md', () => {
  const text = page('audio');
  const list = (name: string) => words(section(text, name)).map((word) => (word === 'none' ? '' : word));
  expect(list('nam-architectures')).toEqual([...NAM_ARCHITECTURES]);
  expect(list('rtneural-layers')).toEqual([...RTNEURAL_LAYERS.keys()]);
  expect(list('rtneural-recurrent-activations')).toEqual([...RTNEURAL_RECURRENT_ACTIVATIONS]);
  expect(list('rtneural-activations')).toEqual([...RTNEURAL_ACTIVATIONS.keys()]);
  expect(list('guitarml-models')).toEqual([...GUITARML_MODELS]);
  expect(list('guitarml-units')).toEqual([...GUITARML_UNITS]);
  expect(text).toContain('from 0.5.0 below 1');
  const versions = ['0.4.9', '0.5.0', '0.5.4', '0.12.0', '1.0.0'];
  expect(versions.map((version) => NAM_VERSION.test(version))).toEqual([false, true, true, true, false]);
});
