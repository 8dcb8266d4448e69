import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { parseSafetensors } from '../../../dist/safetensors.js';
import { codeOf } from '../../build/start-size.mjs';

const panel = (name: string) => new URL(`../../src/panels/${name}/panel.html`, import.meta.url);
const root = new URL('../../../', import.meta.url);
const file = (path: string) => new Uint8Array(readFileSync(new URL(path, root)));

/** Makes a function of a panel's code: its imports are found from a folder of the repository, as a user's are from theirs. */
async function compile(
  code: string,
  folder: string,
  given: string[],
  gives: string,
): Promise<(...given: unknown[]) => unknown> {
  const lines = code.split('\n');
  const imports = lines.filter((line) => line.startsWith('import '));
  const body = lines.filter((line) => !line.startsWith('import '));
  expect(imports.length).toBeGreaterThan(0);
  const contents = `${imports.join('\n')}\nexport default (${given}) => {\n${body.join('\n')}\nreturn ${gives};\n};`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(folder, root)) },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`;
  return (await import(/* @vite-ignore */ url)).default;
}

test('the code at the top of the page runs', async () => {
  const bytes = file('test/fixtures/pytorch/lstm.safetensors');
  const { dims } = parseSafetensors(bytes).get('weight_ih_l0') as { dims: readonly number[] };
  const [gates, inputs] = dims as readonly [number, number];
  const run = await compile(codeOf(panel('home'), 'start-code'), '.', ['bytes', 'x'], '{ output, hn, cn }');
  const x = { data: new Float32Array(5 * inputs).fill(0.1), dims: [5, inputs] };
  const { output, hn, cn } = run(bytes, x) as Record<string, { data: Float32Array; dims: number[] }>;
  expect(output!.dims[0]).toBe(5);
  expect(cn!.dims.at(-1)).toBe(gates / 4);
  expect([...output!.data, ...hn!.data].every((value) => value !== 0 && Math.abs(value) < 1)).toBe(true);
});

test('the code of "Voice activity" runs, and says what Silero’s own runtime says', async () => {
  const known = JSON.parse(readFileSync(new URL('examples/voice-activity/data/go-forward.v5.json', root), 'utf8'));
  const wav = file('examples/voice-activity/data/go-forward.wav');
  const samples = Float32Array.from(new Int16Array(wav.buffer.slice(44)), (sample) => sample / 32_768);
  const frames = Array.from({ length: Math.floor(samples.length / 512) }, (_, n) =>
    samples.subarray(512 * n, 512 * (n + 1)),
  );
  const code = codeOf(panel('voice'), 'voice-code');
  const run = await compile(code, 'examples/voice-activity', ['bytes', 'frames', 'draw'], 'undefined');
  const drawn: { probability: number; c: Float32Array }[] = [];
  run(file('site/public/built/silero-v5.safetensors'), frames, (probability: number, c: Float32Array) =>
    drawn.push({ probability, c }),
  );
  expect(drawn.length).toBe(frames.length);
  for (const [n, { probability, c }] of drawn.entries()) {
    expect(Math.abs(probability - known.probabilities[n])).toBeLessThan(1e-4);
    expect(c.length).toBe(128);
  }
});
