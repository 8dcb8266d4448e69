import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExampleFolder, importExample, root } from '../support/examples.ts';
import { bytesPerCall } from '../support/garbage.ts';
import {
  data,
  expectNear,
  expectState,
  MAIN,
  MIXED,
  NAMES,
  positions,
  published,
  recording,
  samplesOf,
} from '../support/voice.ts';

let folder: ExampleFolder;
beforeAll(() => {
  folder = new ExampleFolder('voice');
});
afterAll(() => folder.remove());

const ok = (args: string[]) => folder.expectOk(MAIN, args);

describe.each(['v5', 'v6'])('Silero VAD %s', (model) => {
  it.each(NAMES)('%s: probabilities, segments and state of ONNX Runtime', (name) => {
    const { segments, probabilities, finalState, samples } = published(name, model);
    const found = JSON.parse(ok([recording(name), '--model', model, '--json']));
    expect(found).toMatchObject({ model, sampleRate: 16_000, frameSamples: 512, samples });
    expectNear(found.probabilities, probabilities, 1e-5);
    if (name === 'mixed') expect(found.probabilities[1186]).toBeGreaterThanOrEqual(0);
    expect(positions(found.segments)).toEqual(positions(segments));
    expect(found.segments.map((segment: any) => segment.startSeconds)).toEqual(
      segments.map(({ start }: any) => start / 16_000),
    );
    expectState(found.finalState, finalState);
  });

  it('at 8 kHz has the probabilities of ONNX Runtime', () => {
    const expected: number[] = JSON.parse(readFileSync(join(root, 'test/fixtures/vad/silero.json'), 'utf8'))[
      model
    ][8000];
    const samples = samplesOf(MIXED).filter((_, i) => i % 2 === 0);
    folder.wav('8k.wav', 8000, '16', [samples]);
    const found = JSON.parse(ok(['8k.wav', '--model', model, '--json']));
    expect(found).toMatchObject({ sampleRate: 8000, frameSamples: 256, samples: samples.length });
    expect(expected.length).toBeGreaterThanOrEqual(120);
    expectNear(found.probabilities.slice(0, expected.length), expected, 5e-5);
  });

  it('has the same segments with 8-bit weights, made at load or read from a file of a third of the size', async () => {
    ok(['--save', 'float.safetensors', '--model', model]);
    ok(['--save', 'int8.safetensors', '--model', model, '--int8']);
    const [float, int8] = ['float', 'int8'].map((name) => statSync(join(folder.path, `${name}.safetensors`)).size);
    expect(int8! / float!).toBeLessThan(0.34);
    const [{ openSmall }, { Analysis }] = await Promise.all([
      importExample('voice-activity/files.mjs'),
      importExample('voice-activity/analysis.mjs'),
    ]);
    const hear = (name: string, options: object) => {
      const detector = openSmall({ model, ...options });
      const analysis = new Analysis(detector);
      analysis.push(Float32Array.from(samplesOf(recording(name)), (value) => value / 32768));
      analysis.end();
      const { h, c } = detector.getState();
      return { ...analysis, segments: positions(analysis.segments), finalState: { h: [...h], c: [...c] } };
    };
    const weights = (name: string) => ({ weights: join(folder.path, `${name}.safetensors`) });
    for (const name of NAMES) {
      const { segments, probabilities, finalState } = published(name, model);
      const small = hear(name, { int8: true });
      expect(small.segments).toEqual(positions(segments));
      expectNear(small.probabilities, probabilities, 0.1);
      expect(hear(name, weights('int8')).probabilities).toEqual(small.probabilities);
      const whole = hear(name, weights('float'));
      expectNear(whole.probabilities, probabilities, 1e-5);
      expectState(whole.finalState, finalState);
    }
    const [name] = NAMES;
    for (const args of [
      ['--model', model, '--int8'],
      ['--weights', 'int8.safetensors'],
    ]) {
      const found = JSON.parse(ok([recording(name!), ...args, '--json', '--expect', data(`${name}.${model}.json`)]));
      expect(found.probabilities).toEqual(hear(name!, { int8: true }).probabilities);
    }
  });
});

describe('the network', () => {
  it('is small in a page: code, wasm and weights', async () => {
    const [{ codeBytes, gzipBytes }, { saveWeights }] = await Promise.all([
      importExample('beside.mjs'),
      importExample('voice-activity/files.mjs'),
    ]);
    const entry = `export { OneCaller, VoiceNetwork } from './network.mjs'; export { expand } from './small.mjs';
      export { parseSafetensors } from 'lstm-wasm/safetensors';`;
    const code = await codeBytes(entry, join(root, 'examples/voice-activity'));
    for (const [int8, allowed] of [
      [false, 1_150_000],
      [true, 350_000],
    ] as const) {
      for (const model of ['v5', 'v6']) {
        saveWeights(join(folder.path, 'page.safetensors'), { model, int8 });
        const weights = gzipBytes(readFileSync(join(folder.path, 'page.safetensors')));
        expect(code + weights).toBeLessThanOrEqual(allowed);
      }
    }
  });

  it('makes no garbage in a frame', async () => {
    const [{ Detector }, { readModel }, { openSmall }] = await Promise.all([
      importExample('voice-activity/detector.mjs'),
      importExample('voice-activity/model.mjs'),
      importExample('voice-activity/files.mjs'),
    ]);
    const frame = Float32Array.from({ length: 512 }, (_, n) => Math.sin(n));
    const detector = new Detector(readModel('v6'), 16_000);
    expect(bytesPerCall(() => void detector.push(frame))).toBeLessThan(1);
    expect(openSmall({ model: 'v6', int8: false }).push(frame)).toBeGreaterThan(0);
  });

  it('gives each of many callers the bits that it has alone', async () => {
    const [{ readModel }, { VoiceNetwork, FRAME }, { readWeights }, { expand, shrink }] = await Promise.all([
      importExample('voice-activity/model.mjs'),
      importExample('voice-activity/network.mjs'),
      importExample('voice-activity/weights.mjs'),
      importExample('voice-activity/small.mjs'),
    ]);
    const speech = Float32Array.from(samplesOf(recording('go-forward')), (value) => value / 32768);
    const weights = readWeights(readModel('v6'));
    for (const form of [weights, expand(shrink(weights))]) {
      const network = new VoiceNetwork(form);
      const alone = (from: number, frames: number) => {
        const id = network.open();
        const probability = new Float32Array(1);
        return Array.from({ length: frames }, (_, k) => {
          const at = from + k * FRAME;
          network.step([id], speech.subarray(at, at + FRAME), probability);
          return probability[0]!;
        });
      };
      const callers = Array.from({ length: 9 }, (_, i) => ({
        id: network.open(),
        from: 1000 * i,
        heard: [] as number[],
      }));
      for (let tick = 0; tick < 40; tick++) {
        const ready = callers.filter((_, i) => tick % (1 + (i % 3)) === 0);
        const frames = new Float32Array(ready.length * FRAME);
        for (const [k, { from, heard }] of ready.entries()) {
          const at = from + heard.length * FRAME;
          frames.set(speech.subarray(at, at + FRAME), k * FRAME);
        }
        const probabilities = new Float32Array(ready.length);
        network.step(
          ready.map(({ id }) => id),
          frames,
          probabilities,
        );
        for (const [k, { heard }] of ready.entries()) heard.push(probabilities[k]!);
      }
      for (const { from, heard } of callers) expect(heard).toEqual(alone(from, heard.length));
      expect(Math.max(...callers.flatMap(({ heard }) => heard))).toBeGreaterThan(0.9);
    }
  });

  it('has the rule of segments: thresholds, shortest speech and silence, padding', async () => {
    const { SpeechSegments } = await importExample('voice-activity/segments.mjs');
    const run = (probabilities: number[], samples = probabilities.length * 512) => {
      const speech = new SpeechSegments(16_000, 512);
      const events = probabilities.map((p) => speech.push(p)).concat(speech.end(samples));
      return { segments: positions(speech.segments), types: events.filter(Boolean).map(({ type }: any) => type) };
    };
    const frames = (count: number, p: number) => Array<number>(count).fill(p);
    const long = frames(20, 0.9);
    expect(run([])).toEqual({ segments: [], types: [] });
    expect(run([...frames(3, 0), ...long, ...frames(9, 0)])).toEqual({
      segments: [[3 * 512 - 480, 23 * 512 + 480]],
      types: ['start', 'end'],
    });
    // 0.35 .. 0.5 changes nothing; four frames of silence are shorter than 100 ms, 8 frames of speech than 250 ms
    expect(run([...long, ...frames(50, 0.4)]).segments).toEqual([[0, 70 * 512]]);
    expect(run([...long, ...frames(4, 0), ...long]).segments).toEqual([[0, 44 * 512]]);
    expect(run([...long, ...frames(5, 0), ...long]).segments).toHaveLength(2);
    expect(run([...frames(7, 0.9), ...frames(9, 0)])).toEqual({ segments: [], types: ['start', 'dropped'] });
    expect(run([...frames(8, 0.9), ...frames(9, 0)]).segments).toEqual([[0, 8 * 512 + 480]]);
    // speech that is open at the end ends with the recording
    expect(run(long, 10_000)).toEqual({ segments: [[0, 10_000]], types: ['start', 'end'] });
  });
});
