// examples/batch: files of a folder over threads, with the answers of one thread.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadOnnx } from '../src/onnx.ts';
import { importExample, readModel, root, temporary } from './support/servers.ts';

const { label } = await importExample('label.mjs');
const { readRecording, writeRecordings } = await importExample('recordings.mjs');
const { SpeechEvents } = await importExample('speech-events.mjs');

const session = loadOnnx(await readModel());
const [folder, remove] = temporary('batch');
afterAll(remove);
const names: string[] = writeRecordings(folder, 12, 10);

function run(program: string, ...args: string[]) {
  const path = join(root, 'examples/batch', program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

it.each([1, 2, 3])('on %i threads prints what this thread computes, in order', (threads) => {
  const { status, stdout, stderr } = run('main.mjs', folder, '--threads', String(threads));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const expected = names.map((name) => ({ name, ...label(session, readRecording(readFileSync(join(folder, name)))) }));
  expect(new Set(expected.map(({ probabilities }) => probabilities)).size).toBe(12);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(expected);
});

it('answers for a file that is no recording, and exits with 1', () => {
  const [other, removeOther] = temporary('batch-bad');
  const [good] = writeRecordings(other, 1, 2);
  writeFileSync(join(other, 'a.wav'), 'no sound, only words');
  writeFileSync(join(other, 'empty.wav'), '');
  const { status, stdout, stderr } = run('main.mjs', other);
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    { name: 'a.wav', error: expect.stringMatching(/^not a WAV file: /) },
    { name: 'empty.wav', error: expect.stringMatching(/^not a WAV file: /) },
    expect.objectContaining({ name: good, speech: [] }),
  ]);
  removeOther();
});

it.each([
  [['main.mjs'], /^error: expected one folder, got 0 arguments; see --help\n$/],
  [['main.mjs', '/nowhere'], /^error: ENOENT.*\n$/],
  [['main.mjs', join(root, 'src')], /^error: .*src: no \.wav files\n$/],
  [['main.mjs', '.', '--threads', '0'], /^error: --threads: expected a whole number from 1 on, got "0"\n$/],
  [['main.mjs', '--fast'], /^error: .*--fast.*\n$/],
])('%j is an error in one line', (args, message) => {
  const { status, stdout, stderr } = run(args[0]!, ...args.slice(1));
  expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
});

it('load.mjs prints figures for 1 and 2 threads', () => {
  const { status, stdout, stderr } = run('load.mjs', '--recordings', '4', '--seconds', '2');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.replaceAll(/\d[\d,.]*/g, '0')).toBe(`0 recordings of 0 to 0 s
0 thread, the same bits
  throughput  0 recordings/s, 0 s of audio a second, 0 times that of 0 thread
  processor   0 ms for a second of audio
  memory      0 MB
0 threads, the same bits
  throughput  0 recordings/s, 0 s of audio a second, 0 times that of 0 thread
  processor   0 ms for a second of audio
  memory      0 MB
`);
});

it('finds the segments that the toolkit of the model finds', () => {
  const { speech } = label(session, readRecording(readFileSync(join(root, 'test/fixtures/vad/mixed.wav'))));
  expect(speech).toEqual([
    [35872, 83936],
    [135712, 182240],
    [351776, 368096],
    [370720, 401888],
    [467488, 547808],
    [588832, 617952],
  ]);
});

it('knows speech that is too short, and speech that the recording cuts off', () => {
  const hear = (probabilities: number[], samples?: number) => {
    const events = new SpeechEvents();
    const all = probabilities.map((probability) => events.push(probability));
    return [...all, events.finish(samples ?? 512 * probabilities.length)].filter(Boolean);
  };
  const frames = (count: number, probability: number) => new Array<number>(count).fill(probability);
  // 7 frames are 3,584 samples, 8 are 4,096
  const start = { type: 'start', at: 0 };
  expect(hear([...frames(7, 0.9), ...frames(9, 0)])).toEqual([start, { type: 'misfire', start: 0, end: 4064 }]);
  expect(hear([...frames(8, 0.9), ...frames(9, 0)])).toEqual([start, { type: 'speech', start: 0, end: 4576 }]);
  // a dip of 4 frames does not end it, and what lies between both thresholds ends nothing
  expect(hear([...frames(9, 0.5), ...frames(4, 0.34), ...frames(3, 0.5), ...frames(50, 0.35)], 33_000)).toEqual([
    start,
    { type: 'speech', start: 0, end: 33_000 },
  ]);
  expect(hear(frames(3, 0.9), 1500)).toEqual([start, { type: 'misfire', start: 0, end: 1500 }]);
  expect(hear(frames(20, 0.4))).toEqual([]);
});
