import { Stopwatch } from '../measure.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { MODELS } from './list.mjs';

/** One model with all its contestants, in one process or page. */
export class ModelTurn {
  #place;
  #watches = new Map();

  /** @param {{ where: 'node' | 'browser', assets?: string }} place `assets`: where a page finds the peers' packages */
  constructor(place) {
    this.#place = place;
  }

  /** @returns the version of a contestant, and its output to check */
  async open({ name, model: wanted }) {
    const { where, assets } = this.#place;
    const { open, eightBit = false } = CONTESTANTS[name];
    const model = MODELS.find(({ name }) => name === wanted);
    const players = [];
    for (const part of model.parts) players.push(await open(part, { eightBit, assets }));
    const { output, calls } = await model.rehearse(players);
    this.#watches.set(name, new Stopwatch(callOf(players, calls), where));
    return { version: players[0].version, output: Float32Array.from(output) };
  }

  async warm({ name, ms }) {
    await this.#watches.get(name).warm(ms);
  }

  /** Microseconds a call. */
  async round({ name, ms }) {
    return this.#watches.get(name).round(ms);
  }
}

/** Goes on through the calls, round and round: a promise only where a player gives one. */
function callOf(players, calls) {
  let t = -1;
  const next = () => {
    t = t + 1 < calls.length ? t + 1 : 0;
    return calls[t];
  };
  const [one, two] = players;
  if (!two) return () => one.step(next()[0]);
  return () => {
    const [first, second] = next();
    const answer = one.step(first);
    return answer instanceof Promise ? answer.then(() => two.step(second)) : two.step(second);
  };
}
