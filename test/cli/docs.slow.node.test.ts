// The calls in docs/cli.md print what stands below them, but for measured times and memory.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call, fixture, root, succeed, temporaryFolder } from '../support/cli.ts';
import { fencedBlocks } from '../support/programs.ts';

const folder = temporaryFolder();
const FILES = {
  'model.pt': 'pytorch/lstm_linear.pt',
  'model.onnx': 'onnx-ort/forward.onnx',
  'model.h5': 'keras/model.h5',
  'amp.nam': '../../examples/guitar-amp/data/nam/lstm.nam',
  'guitar.wav': '../../examples/guitar-amp/data/nam/guitar-48k.wav',
};
for (const [name, file] of Object.entries(FILES)) copyFileSync(fixture(file), join(folder, name));
writeFileSync(join(folder, 'steps.csv'), '0.1,0.2,0.3,0.4,0.5\n0.2,0.1,0,0,0\n');

const calls = fencedBlocks(readFileSync(join(root, 'docs/cli.md'), 'utf8'))
  .filter(({ language }) => language === 'console')
  .flatMap(({ code }) => code.split(/^\$ npx lstm-wasm /m).slice(1))
  .map((text) => [text.split('\n')[0]!, text.slice(text.indexOf('\n') + 1)] as const);

test.each(calls)('%s', (line, output) => {
  const found = succeed(line.split(' '), { cwd: folder });
  // columns move with the figures
  const measured = (text: string) =>
    text
      .replace(/\d[\d.]*(e-\d+)?/g, '0')
      .replace(/ +/g, ' ')
      .trim();
  if (line.startsWith('bench')) expect(measured(found)).toBe(measured(output));
  else expect(found.trim()).toBe(output.trim());
});

test('every command is there with its real output', () => {
  const commands = new Set(calls.map(([line]) => line.split(' ')[0]));
  expect(commands).toEqual(new Set(['inspect', 'convert', 'run', 'bench', 'trace']));
});

test('docs/cli.md names every option', () => {
  const text = readFileSync(join(root, 'docs/cli.md'), 'utf8');
  for (const command of ['inspect', 'convert', 'run', 'bench', 'trace']) {
    const options = [...call([command, '--help']).stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9]+)/gm)].map(
      (match) => match[1]!,
    );
    expect(options.length).toBeGreaterThan(3);
    for (const option of options) if (option !== '--help') expect(text).toContain(option);
  }
});
