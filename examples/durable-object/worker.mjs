// One Durable Object for each voice. A WebSocket brings audio and takes the answers; what the object needs to go on lies in its
// storage, so that it may be moved, put to sleep or killed between any two messages.
import { DurableObject } from 'cloudflare:workers';
import { loadOnnx } from 'lstm-wasm/onnx';
import { FRAME, Voice } from '../speech-events.mjs';
import { CLOSE, Refusal, readFrameNumber, readFrames } from './protocol.mjs';
import model from './silero_vad.onnx';

/** The model, once for all objects of this isolate. */
const session = loadOnnx(model);

/** Frames between two states in storage: about a second, which is what is sent and computed again after a crash. */
const SAVE_EVERY = 32;
/** Messages that a connection may get wrong before it is closed. */
const PATIENCE = 16;

export default {
  /** @param {Request} request */
  async fetch(request, env) {
    const [, room, name, ...rest] = new URL(request.url).pathname.split('/');
    if (room !== 'voices' || !name || rest.length > 0) return new Response('expected /voices/NAME\n', { status: 404 });
    return env.VOICES.get(env.VOICES.idFromName(name)).fetch(request);
  },
};

export class VoiceObject extends DurableObject {
  /** States, oldest first: the newest for whose frame the client has all answers, and those after it. */
  #saves = [];
  #voice = new Voice(session);

  constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      this.#saves = (await ctx.storage.get('saves')) ?? [this.#voice.save()];
      this.#goOnFrom(Number.POSITIVE_INFINITY);
    });
  }

  /** @param {Request} request `?frame=N`: N is the first frame whose answer the client has not got */
  async fetch(request) {
    try {
      const frame = readFrameNumber(new URL(request.url).searchParams.get('frame'));
      if (request.method === 'DELETE') return await this.#end(frame);
      if (request.headers.get('Upgrade') !== 'websocket')
        return new Response('expected a WebSocket\n', { status: 426 });
      return this.#connect(frame);
    } catch (error) {
      if (error instanceof Refusal) return new Response(`${error.message}\n`, { status: 400 });
      throw error;
    }
  }

  #connect(frame) {
    const oldest = this.#saves[0].events.frame;
    if (frame < oldest) {
      return new Response(`frame ${frame}: this voice is past it, and can go on from frame ${oldest} on\n`, {
        status: 409,
      });
    }
    for (const socket of this.ctx.getWebSockets()) socket.close(CLOSE.taken, 'another connection took over');
    this.#goOnFrom(frame);
    const [client, socket] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(socket);
    socket.send(JSON.stringify({ type: 'ready', frame: this.#voice.frame }));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Answers the last event and forgets the voice. */
  async #end(frame) {
    if (frame !== this.#voice.frame) {
      return new Response(
        `frame ${frame}: this voice is at frame ${this.#voice.frame}; connect and send from there\n`,
        { status: 409 },
      );
    }
    const event = this.#voice.finish();
    await this.ctx.storage.deleteAll();
    this.#voice.dispose();
    this.#voice = new Voice(session);
    this.#saves = [this.#voice.save()];
    for (const socket of this.ctx.getWebSockets()) socket.close(CLOSE.ended, 'the voice has ended');
    return Response.json({ frames: frame, event: event ?? null });
  }

  webSocketMessage(socket, message) {
    try {
      const { first, have, samples } = readFrames(message);
      if (first === this.#voice.frame) return socket.send(JSON.stringify(this.#hear(first, have, samples)));
      // the object was restarted, or the client is wrong: whatever else is on its way does not fit either
      socket.close(CLOSE.place, `expected frame ${this.#voice.frame}, got ${first}; connect again`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      socket.send(JSON.stringify({ type: 'refused', reason: error.message }));
      const refused = (socket.deserializeAttachment() ?? 0) + 1;
      socket.serializeAttachment(refused);
      if (refused >= PATIENCE) socket.close(CLOSE.policy, `${refused} messages refused`);
    }
  }

  webSocketClose(socket, code) {
    // 1005 and 1006 say that there was no code, and may not be sent
    socket.close(code === 1005 || code === 1006 ? 1000 : code, 'closed by the client');
  }

  #hear(first, have, samples) {
    const voice = this.#voice;
    const probabilities = [];
    const events = [];
    for (let at = 0; at < samples.length; at += FRAME) {
      const { probability, event } = voice.push(samples.subarray(at, at + FRAME));
      probabilities.push(probability);
      if (event) events.push({ frame: voice.frame - 1, ...event });
    }
    this.#save(have);
    return { type: 'heard', frame: first, probabilities, events, keep: this.#saves[0].events.frame };
  }

  /** Writes the state if it is time to. No answer leaves the object before that is on disk: its output gate holds them. */
  #save(have) {
    if (this.#voice.frame - this.#saves.at(-1).events.frame < SAVE_EVERY) return;
    this.#saves.push(this.#voice.save());
    this.#saves.splice(
      0,
      this.#saves.findLastIndex(({ events }) => events.frame <= have),
    );
    this.ctx.storage.put('saves', this.#saves);
  }

  /** Goes back to the newest state at or before a frame. The later ones would come out the same, and are written again. */
  #goOnFrom(frame) {
    const place = this.#saves.findLastIndex(({ events }) => events.frame <= frame);
    this.#saves.length = place + 1;
    this.#voice.dispose();
    this.#voice = new Voice(session, this.#saves[place]);
  }
}
