// The figures of README and of the guide to other choices are those of benchmarks/RESULTS.md, rounded.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordedRuns } from '../benchmarks/recorded.mjs';
import { root } from './support/programs.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const run = recordedRuns(read('benchmarks/RESULTS.md')).find(
  ({ key }) => key === 'Node 24, AMD EPYC, family 25 model 17',
)!;

/** The shape of a row of the guide's table, as RESULTS.md names it. */
function shapeOf(label: string): string {
  const [, sizes, layers, steps, rows] = label.match(
    /(\d+x\d+)(?:, (\d+ layers))?(?:, (\d+) steps)?(?:, (\d+) rows)?$/,
  )!;
  if (!steps) return `stream ${sizes}`;
  return [sizes, layers, `T ${steps}`, rows && `B ${rows}`].filter(Boolean).join(' ');
}

/** Whether a figure is a number rounded to the figure's last digit. */
function isRounded(figure: string, value: number): boolean {
  const unit = 10 ** -(figure.split('.')[1]?.length ?? 0);
  return Math.abs(Number(figure) - value) <= 0.5001 * unit;
}

test('the table of the guide', () => {
  const text = read('docs/guides/something-else.md');
  const [head, , ...rows] = text
    .split('<!-- peers -->\n')[1]!
    .split('\n\n')[0]!
    .split('\n')
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  expect(head!.slice(3)).toEqual([
    'onnxruntime-web',
    'onnxruntime-node',
    'its 8 bits',
    'tfjs-wasm',
    'plain JavaScript',
  ]);
  expect(rows).toHaveLength(11);
  for (const [label, ours, ...ratios] of rows) {
    const shape = run.shapes.find(({ name }) => name === shapeOf(label!))!;
    const { times } = shape;
    const peers = ['ours int8', 'ort-web', 'ort-node', 'ort-node int8', 'tfjs-wasm', 'plain'];
    expect(isRounded(ours!, times.ours!.us), `${label}: ${ours} of ${times.ours!.us}`).toBe(true);
    for (const [k, peer] of peers.entries()) {
      const { ratio = Number.NaN } = times[peer]!;
      expect(isRounded(ratios[k]!, ratio), `${label}, ${peer}: ${ratios[k]} of ${ratio}`).toBe(true);
    }
  }
});

test('the sentence of the README', () => {
  const [, ours, web] = read('README.md').match(/64 units takes ([\d.]+) µs .* and ([\d.]+) µs in onnxruntime-web/)!;
  const { times } = run.shapes.find(({ name }) => name === 'stream 64x64')!;
  expect(isRounded(ours!, times.ours!.us)).toBe(true);
  expect(isRounded(web!, times['ort-web']!.us)).toBe(true);
});
