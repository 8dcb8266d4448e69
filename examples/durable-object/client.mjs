import WebSocket from 'ws';
import { FRAME } from '../speech-events.mjs';
import { CLOSE, LARGEST, WINDOW, writeFrames } from './protocol.mjs';

/** Closed for good; after any other close the client connects again. */
const FINAL = [CLOSE.policy, CLOSE.taken, CLOSE.ended];
/** The longest pause between two attempts to connect, ms. */
const LONGEST_PAUSE = 1000;

/**
 * Sends a voice and takes the answers, over as many connections as it takes. Keeps the frames that a restarted object may ask for
 * again. An answer that comes twice has the same bits both times and is passed on once.
 */
export class VoiceClient {
  /** The first frame whose answer has not come. */
  have = 0;
  connections = 0;
  /** Answers that came again after a restart. */
  repeated = 0;
  #url;
  #framesPerMessage;
  #onAnswer;
  /** Frames from #keep on. */
  #frames = [];
  #keep = 0;
  #next = 0;
  #sent = new Map();
  /** @type {WebSocket | undefined} */
  #socket;
  #ready = false;
  #pause = 10;
  #closed = false;
  #waiting = [];
  #error;

  /**
   * @param {string} url of the voice: http://host/voices/NAME
   * @param {{ framesPerMessage?: () => number, onAnswer?: (answer: object, milliseconds: number) => void }} [options] `onAnswer`
   *   gets `{ frame, probability, event }` of each frame in order, once, and the time since its message was sent
   */
  constructor(url, { framesPerMessage = () => LARGEST, onAnswer = () => {} } = {}) {
    this.#url = url;
    this.#framesPerMessage = framesPerMessage;
    this.#onAnswer = onAnswer;
    this.#connect();
  }

  /** @param {Float32Array} samples whole frames of 512, from -1 to 1 */
  push(samples) {
    if (samples.length % FRAME !== 0)
      throw new RangeError(`VoiceClient: expected whole frames of ${FRAME} samples, got ${samples.length}`);
    for (let at = 0; at < samples.length; at += FRAME) this.#frames.push(samples.slice(at, at + FRAME));
    this.#pump();
  }

  /** Resolves when every frame has its answer and the object is at the last one. Rejects if the object cannot go on. */
  drained() {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#settle();
    });
  }

  /** Ends the voice. @returns {Promise<object | null>} the event of speech that was still going on */
  async end() {
    for (;;) {
      await this.drained();
      const response = await fetch(`${this.#url}?frame=${this.have}`, { method: 'DELETE' }).catch(() => undefined);
      if (response?.ok) {
        this.close();
        return (await response.json()).event;
      }
      if (response && response.status < 500 && response.status !== 409) throw new Error(await response.text());
      // the object was restarted since, and wants the last frames again
      this.#ready = false;
      this.#socket.terminate();
    }
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
  }

  #connect() {
    if (this.#closed) return;
    this.#ready = false;
    this.#sent.clear();
    const socket = new WebSocket(`${this.#url.replace(/^http/, 'ws')}?frame=${this.have}`);
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('unexpected-response', async (_request, response) => {
      let text = '';
      for await (const part of response) text += part;
      if (response.statusCode >= 500) socket.terminate();
      else this.#fail(new Error(`${this.#url}: ${response.statusCode} ${text.trim()}`));
    });
    socket.on('message', (data) => this.#take(JSON.parse(String(data))));
    socket.on('close', (code, reason) => {
      if (this.#closed || socket !== this.#socket) return;
      if (FINAL.includes(code)) return this.#fail(new Error(`${this.#url}: ${reason}`));
      this.#ready = false;
      setTimeout(() => this.#connect(), this.#pause);
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    });
  }

  #take(message) {
    if (message.type === 'ready') {
      if (message.frame < this.#keep)
        return this.#fail(new Error(`${this.#url}: the voice was ended by somebody else`));
      this.connections++;
      this.#pause = 10;
      this.#next = message.frame;
      this.#ready = true;
      this.#pump();
      this.#settle();
    } else if (message.type === 'heard') {
      const milliseconds = performance.now() - this.#sent.get(message.frame);
      this.#sent.delete(message.frame);
      for (const [k, probability] of message.probabilities.entries()) {
        const frame = message.frame + k;
        if (frame < this.have) {
          this.repeated++;
          continue;
        }
        this.have = frame + 1;
        this.#onAnswer(
          { frame, probability, event: message.events.find((event) => event.frame === frame) },
          milliseconds,
        );
      }
      this.#frames.splice(0, Math.max(0, message.keep - this.#keep));
      this.#keep = Math.max(message.keep, this.#keep);
      this.#pump();
      this.#settle();
    } else {
      this.#fail(new Error(`${this.#url}: ${message.reason}`));
    }
  }

  #pump() {
    if (!this.#ready) return;
    const end = this.#keep + this.#frames.length;
    while (this.#next < end) {
      const count = Math.min(this.#framesPerMessage(), end - this.#next, this.have + WINDOW - this.#next);
      if (count < 1) return;
      const samples = new Float32Array(count * FRAME);
      for (let k = 0; k < count; k++) samples.set(this.#frames[this.#next - this.#keep + k], k * FRAME);
      this.#socket.send(writeFrames(this.#next, Math.min(this.have, this.#next), samples));
      this.#sent.set(this.#next, performance.now());
      this.#next += count;
    }
  }

  #settle() {
    const end = this.#keep + this.#frames.length;
    const settled = this.#ready && this.have === end && this.#next === end && this.#sent.size === 0;
    if (!settled && !this.#error) return;
    for (const { resolve, reject } of this.#waiting.splice(0)) this.#error ? reject(this.#error) : resolve();
  }

  #fail(error) {
    this.#error = error;
    this.close();
    this.#settle();
  }
}
