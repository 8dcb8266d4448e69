// examples/durable-object on workerd: objects that are killed, a thousand of them, and clients who mean no good.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import WebSocket from 'ws';
import { importExample, needServer, readModel, root, seeded, temporary } from './support/servers.ts';

const { FRAME, Voice } = await importExample('speech-events.mjs');
const { cut, readSource } = await importExample('recordings.mjs');
const { writeFrames } = await importExample('durable-object/protocol.mjs');
const { VoiceClient } = await importExample('durable-object/client.mjs');
const { buildWorker } = await importExample('durable-object/build.mjs');
const { findWorkerd, startServer } = await importExample('durable-object/server.mjs');
const { loadOnnx } = await import('../src/onnx.ts');

const hasWorkerd = findWorkerd() !== undefined;
const source: Float32Array = readSource();
const session = loadOnnx(await readModel());
const [storage, remove] = temporary('durable-object');
let server: { url: string; port: number; pid: number; stop(signal?: string): Promise<void> };

interface Answer {
  frame: number;
  probability: number;
  event?: object;
}

/** What one process answers. */
function alone(samples: Float32Array): Answer[] {
  const voice = new Voice(session);
  const answers = Array.from({ length: samples.length / FRAME }, (_, frame): Answer => {
    const { probability, event } = voice.push(samples.subarray(frame * FRAME, (frame + 1) * FRAME));
    return event ? { frame, probability, event: { frame, ...event } } : { frame, probability };
  });
  voice.dispose();
  return answers;
}

/** A client, and the answers as they come. */
function open(name: string, framesPerMessage: () => number, onFrame: (frame: number) => void = () => {}) {
  const answers: Answer[] = [];
  const onAnswer = ({ frame, probability, event }: Answer) => {
    answers.push(event ? { frame, probability, event } : { frame, probability });
    onFrame(frame);
  };
  return { answers, client: new VoiceClient(`${server.url}/voices/${name}`, { framesPerMessage, onAnswer }) };
}

beforeAll(async () => {
  if (!hasWorkerd) return;
  await buildWorker();
  server = await startServer(storage);
});

afterAll(async () => {
  await server?.stop('SIGKILL');
  remove();
});

const need = (context: TestContext) => needServer(context, 'workerd', hasWorkerd);

describe.each([1, 2])('kill -9 at random places, seed %i', (seed) => {
  it('changes no bit of the answers', async (context) => {
    need(context);
    const random = seeded(seed);
    const samples = source.subarray(0, 1282 * FRAME);
    const kills = Array.from({ length: 4 }, () => Math.floor(random() * 1282)).sort((a, b) => a - b);
    let restarts = Promise.resolve();
    const { answers, client } = open(
      `killed-${seed}`,
      () => 1 + Math.floor(32 * random()),
      (frame) => {
        if (kills.length === 0 || frame < kills[0]!) return;
        while (kills[0]! <= frame) kills.shift();
        restarts = restarts.then(async () => {
          await server.stop('SIGKILL');
          server = await startServer(storage, server.port);
        });
      },
    );
    client.push(samples);
    await client.drained();
    await restarts;
    expect(await client.end()).toBe(null);
    expect(answers).toEqual(alone(samples));
    expect(client.connections).toBeGreaterThan(1);
    expect(client.repeated).toBeGreaterThan(0);
    expect(answers.filter(({ event }) => event)).toHaveLength(12);
  });
});

it('goes on with the state, not with the audio from the beginning', async (context) => {
  need(context);
  const { answers, client } = open('long', () => 32);
  const samples = cut(source, 3, 320 * FRAME);
  client.push(samples.subarray(0, 300 * FRAME));
  await client.drained();
  await server.stop('SIGKILL');
  server = await startServer(storage, server.port);
  client.push(samples.subarray(300 * FRAME));
  await client.drained();
  await client.end();
  expect(answers).toEqual(alone(samples));
  expect(client.repeated).toBeLessThanOrEqual(32);
});

it('a thousand objects at once answer as each would alone', async (context) => {
  need(context);
  const random = seeded(5);
  const voices = Array.from({ length: 1000 }, (_, k) => {
    const samples: Float32Array = cut(source, k, 12 * FRAME);
    const { answers, client } = open(`one-of-1000-${k}`, () => 1 + Math.floor(6 * random()));
    client.push(samples);
    return { samples, answers, client };
  });
  await Promise.all(voices.map(({ client }) => client.drained()));
  const different = new Set(voices.map(({ answers }) => JSON.stringify(answers)));
  // some heard nothing but silence
  expect(different.size).toBeGreaterThan(900);
  for (const { samples, answers } of voices) expect(answers).toEqual(alone(samples));
  for (const { client } of voices) client.close();
}, 180_000);

/** A WebSocket without manners. */
async function connect(name: string, frame = 0) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/voices/${name}?frame=${frame}`);
  const messages: any[] = [];
  const waiting: (() => void)[] = [];
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)));
    waiting.shift()?.();
  });
  await once(socket, 'upgrade');
  socket.on('error', () => {});
  const closed = new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const next = async () => {
    if (messages.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return messages.shift();
  };
  const ask = (message: Uint8Array | string) => {
    socket.send(message);
    return next();
  };
  expect(await next()).toEqual({ type: 'ready', frame: 0 });
  return { socket, closed, next, ask };
}

/** Expects the object to hear its first frame. */
async function expectAlive(name: string) {
  const { socket, ask } = await connect(name);
  const [expected] = alone(source.subarray(0, FRAME));
  const answer = await ask(writeFrames(0, 0, source.subarray(0, FRAME)));
  expect(answer).toMatchObject({ type: 'heard', frame: 0, probabilities: [expected!.probability] });
  socket.close();
}

it('an object that was put to sleep goes on, and a message that the runtime does not take ends nothing', async (context) => {
  need(context);
  const { answers, client } = open('sleeper', () => 3);
  const samples = cut(source, 6, 70 * FRAME);
  client.push(samples.subarray(0, 50 * FRAME));
  await client.drained();
  const { socket, closed } = await connect('huge');
  socket.send(new Uint8Array(40 << 20), () => {});
  // workerd lets an object sleep after 10 s without a message
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  client.push(samples.subarray(50 * FRAME));
  await client.end();
  expect(client.connections).toBe(2);
  expect(client.repeated).toBeGreaterThan(0);
  expect(answers).toEqual(alone(samples));
  expect(await closed).toMatchObject({ code: expect.toBeOneOf([1006, 1009]) });
  await expectAlive('huge');
});

describe('hostile messages', () => {
  const frames = (count: number, first = 0, have = 0) => writeFrames(first, have, source.subarray(0, count * FRAME));
  const withSample = (value: number, at = 700) => {
    const samples = source.slice(0, 2 * FRAME);
    samples[at] = value;
    return writeFrames(0, 0, samples);
  };
  const cases: [name: string, message: Uint8Array | string, reason: RegExp][] = [
    ['no text', '', /expected a binary message, got text of 0 characters/],
    ['text', '{"type":"ready"}', /expected a binary message, got text of 16 characters/],
    ['nothing', new Uint8Array(0), /1 to 32 frames of 2048 bytes, got 0 bytes/],
    ['a header', new Uint8Array(8), /got 8 bytes/],
    ['a byte less', frames(1).subarray(1), /got 2055 bytes/],
    ['a byte more', Buffer.concat([frames(1), Buffer.alloc(1)]), /got 2057 bytes/],
    ['half a frame more', Buffer.concat([frames(1), Buffer.alloc(1024)]), /got 3080 bytes/],
    ['too many frames', frames(33), /got 67592 bytes/],
    ['900 KB', new Uint8Array(900_000), /got 900000 bytes/],
    ['NaN', withSample(Number.NaN), /sample 700: expected a number from -1 to 1, got NaN/],
    ['infinity', withSample(Number.NEGATIVE_INFINITY, 0), /sample 0: .* got -Infinity/],
    ['a loud sample', withSample(1e30, 1023), /sample 1023: .* got 1.0*\d*e\+30/],
    ['answers from the future', frames(1, 0, 1), /frame 0 cannot come before the answer to frame 0/],
    ['a frame far ahead', frames(1, 2 ** 32 - 1, 0), /flood: 4294967296 frames without an answer, at most 128/],
  ];

  it.for(cases)(
    '%s is refused with a reason, and the next good one is heard',
    async ([name, message, reason], context) => {
      need(context);
      const { socket, ask } = await connect(`hostile-${name}`);
      const refused = await ask(message);
      expect(refused).toEqual({ type: 'refused', reason: expect.stringMatching(reason) });
      const expected = alone(source.subarray(0, 2 * FRAME)).map(({ probability }) => probability);
      expect(await ask(frames(2))).toEqual({ type: 'heard', frame: 0, probabilities: expected, events: [], keep: 0 });
      socket.close();
    },
  );

  it('a flood is cut off, and the object lives', async (context) => {
    need(context);
    const { socket, closed, next } = await connect('flood');
    for (let frame = 0; frame < 1000; frame++) socket.send(frames(1, frame));
    for (let frame = 0; frame < 128; frame++) expect(await next()).toMatchObject({ type: 'heard', frame });
    for (let k = 0; k < 16; k++) expect((await next()).reason).toMatch(/^flood: \d+ frames without an answer/);
    expect(await closed).toEqual({ code: 1008, reason: '16 messages refused' });
    await expectAlive('flood');
  });

  it('a wrong place closes the connection with the right one, and the object lives', async (context) => {
    need(context);
    const { closed, ask, socket } = await connect('place');
    expect(await ask(frames(3))).toMatchObject({ type: 'heard', frame: 0 });
    socket.send(frames(1, 5, 3));
    expect(await closed).toEqual({ code: 4009, reason: 'expected frame 3, got 5; connect again' });
    await expectAlive('place');
  });

  it('the last connection wins, and the client who lost says so', async (context) => {
    need(context);
    const { client } = open('twice', () => 1);
    client.push(source.subarray(0, FRAME));
    await client.drained();
    const second = await connect('twice');
    await expect.poll(() => client.drained().then(() => '', String)).toMatch(/another connection took over/);
    expect(await second.ask(frames(1))).toMatchObject({ type: 'heard', frame: 0 });
    second.socket.close();
  });

  const requests: [method: string, path: string, status: number, text: string][] = [
    ['GET', '/', 404, 'expected /voices/NAME'],
    ['GET', '/voices/', 404, 'expected /voices/NAME'],
    ['GET', '/voices/a/b', 404, 'expected /voices/NAME'],
    ['GET', '/voices/a', 400, 'frame: expected a whole number, got null'],
    ['GET', '/voices/a?frame=-1', 400, 'frame: expected a whole number, got "-1"'],
    ['GET', '/voices/a?frame=99999999999', 400, 'frame: expected a whole number, got "99999999999"'],
    ['POST', '/voices/a?frame=0', 426, 'expected a WebSocket'],
    ['DELETE', '/voices/a?frame=7', 409, 'frame 7: this voice is at frame 0; connect and send from there'],
  ];
  it.for(requests)('%s %s is refused with %i', async ([method, path, status, text], context) => {
    need(context);
    const response = await fetch(server.url + path, { method });
    expect({ status: response.status, text: await response.text() }).toEqual({ status, text: `${text}\n` });
  });

  it('a client who comes without what it was told to keep is refused', async (context) => {
    need(context);
    const { client } = open('past', () => 32);
    client.push(source.subarray(0, 300 * FRAME));
    await client.drained();
    client.close();
    const { client: other } = open('past', () => 32);
    await expect(other.drained()).rejects.toThrow(
      /409 frame 0: this voice is past it, and can go on from frame \d+ on/,
    );
  });
});

it.for(['as fast as answers come', 'paced'])(
  'load.mjs, %s, prints throughput, latency and memory',
  async (how, context) => {
    need(context);
    const args = [join(root, 'examples/durable-object/load.mjs'), '--voices', '20', '--seconds', '1'];
    if (how === 'paced') args.push('--paced');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    expect(stderr).toBe('');
    expect(stdout.replaceAll(/\d[\d,.]*/g, '0')).toBe(`0 voices, 0 s each, 0 frames of 0 ms in a message, ${how}
  throughput  0 frames/s: 0 voices in real time
  processor   0 us of workerd a frame, and 0 us in the kernel
  latency     0 %: 0 ms, 0 %: 0 ms, 0 %: 0 ms, longest: 0 ms
  memory      0 MB of workerd before, 0 MB with all voices, 0 MB at most
  events      0
`);
  },
);
