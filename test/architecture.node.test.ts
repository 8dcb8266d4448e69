import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';

// Which room of src/ may import which: CONTRIBUTING.md names the rooms. Imports of types count like others.

const root = new URL('..', import.meta.url).pathname;
const GENERATED = [
  'memory/abi.ts',
  'memory/embedded.ts',
  'cells/embedded.ts',
  'gru/embedded.ts',
  'worklet/embedded.ts',
];
const READERS = ['safetensors', 'pytorch', 'onnx', 'keras', 'audio'];
const KERNELS_ROOMS = ['base', 'memory', 'nn', 'files', 'cells', 'graph', 'operators'];

/** The rooms that a room may import besides itself. Doors of readers' rooms are named by their files. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  base: [],
  memory: ['base'],
  nn: ['base', 'memory'],
  files: ['base'],
  gru: ['base', 'memory', 'nn'],
  cells: ['base', 'memory', 'nn', 'gru'],
  graph: ['base', 'memory', 'nn', 'cells'],
  operators: ['base', 'memory', 'nn', 'cells', 'graph'],
  ...Object.fromEntries(READERS.map((reader) => [reader, KERNELS_ROOMS])),
  audio: [...KERNELS_ROOMS, 'gru'],
  ort: ['base', 'files', 'onnx.ts'],
  worklet: ['base', 'memory', 'gru', 'cells', 'audio'],
  check: ['base', 'memory', 'nn', 'cells'],
  cli: ['base', 'files', 'index.ts', ...READERS.map((reader) => `${reader}.ts`)],
};

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts') && !GENERATED.includes(name))
  .sort();

/** Paths in src/ that a file of src/ imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '(\.{1,2}\/[^']+)'|\bimport\('(\.[^']+)'\)/gm)].map(
    (match) => posix.join(posix.dirname(file), match[1] ?? match[2]!),
  );
}

/** The first folder of a path, or the file itself at the top. */
const roomOf = (file: string) => file.split('/')[0]!;

test('doors stand alone at the top of src/: the exports of package.json', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const doors = Object.keys(exports)
    .filter((name) => !/\.(wasm|json)\b/.test(name))
    .map((name) => (name === '.' ? 'index.ts' : `${name.slice(2).replace(/\.js$/, '')}.ts`));
  expect(sources.filter((file) => !file.includes('/'))).toEqual(doors.sort());
});

test.each(Object.entries(ALLOWED))('%s imports nothing but itself and %j', (room, allowed) => {
  const files = sources.filter((file) => roomOf(file) === room);
  expect(files.length).toBeGreaterThan(0);
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => roomOf(target) !== room && !allowed.includes(roomOf(target)))
      .map((target) => `${file} -> ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('every room has a rule', () => {
  const rooms = new Set(sources.filter((file) => file.includes('/')).map(roomOf));
  expect([...rooms].sort()).toEqual(Object.keys(ALLOWED).sort());
});

test('no file imports itself in a circle', () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file) || GENERATED.includes(file)) return undefined;
    for (const target of importsOf(file)) {
      const circle = visit(target, [...path, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of sources) expect(visit(file, [])).toBeUndefined();
  expect(done.size).toBe(sources.length);
});

test('bytes are computed in memory/ and assembly/: nn/ counts floats', () => {
  const wrong = sources
    .filter((file) => roomOf(file) === 'nn')
    .flatMap((file) => {
      const code = readFileSync(join(root, 'src', file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      return [
        ...code.matchAll(/.*(\/ 4\b|\b4 \*|\* 4\b|<< 2|>> 2|PANEL_BYTES|panelBytes|\bfloats\(\)|\bintegers\(\)).*/g),
      ].map(([line]) => `${file}: ${line.trim()}`);
    });
  expect(wrong).toEqual([]);
});
