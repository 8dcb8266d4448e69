import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KERAS_ACTIVATIONS } from '../src/keras/activations.ts';
import { LAYERS } from '../src/keras/layers.ts';
import { STORED } from '../src/keras/manifest.ts';
import { MERGE_MODES } from '../src/keras/recurrent.ts';

// docs/formats/keras.md against the tables that the reader goes by.

const page = readFileSync(new URL('../docs/formats/keras.md', import.meta.url), 'utf8');
const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(title))!;

test('the page lists the layers of the code, and no others', () => {
  const rows = [...section('Layers').matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual(['InputLayer', ...LAYERS.keys()].sort());
});

test('the page lists the activations of the code, and no others', () => {
  const [list] = section('Activations').split(';');
  expect([...list!.matchAll(/`(\w+)`/g)].map((match) => match[1])).toEqual([...KERAS_ACTIVATIONS.keys()]);
});

test('the page lists merge modes and types of weights', () => {
  expect(section('Layers')).toContain(`merge_mode ${MERGE_MODES.join(', ')};`);
  for (const type of STORED.keys()) expect(section('Files')).toContain(type);
});
