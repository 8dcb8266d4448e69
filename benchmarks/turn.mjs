import { CONTESTANTS } from './contestants.mjs';
import { Stopwatch } from './measure.mjs';
import { inputOf, weightsOf } from './shapes.mjs';
import { Unavailable } from './unavailable.mjs';

/** One contestant with one shape, in its own process or page: the same weights and inputs for everybody. */
export class Turn {
  #place;
  #stopwatch;
  #stepsPerCall;

  /** @param {{ where: 'node' | 'browser', assets?: string }} place `assets`: where a page finds the peers' packages */
  constructor(place) {
    this.#place = place;
  }

  /**
   * @param {{ name: string, shape: import('./shapes.mjs').Shape }} task
   * @returns the version of the contestant, and its output [T][B][D H] for the oracle to check
   */
  async open({ name, shape }) {
    const { where, assets } = this.#place;
    const { load, options } = CONTESTANTS[name];
    const open = await load();
    const player = await open(shape, weightsOf(shape), { ...options, assets });
    const { T, I, B, D, H } = shape;
    const input = inputOf(shape);
    let output = new Float32Array(T * B * D * H);
    if (!shape.stream || player.stepsPerCall) {
      output = Float32Array.from(await player.forward(input));
      this.#stopwatch = new Stopwatch(() => player.forward(input), where);
    } else {
      const frames = Array.from({ length: T }, (_, t) => input.subarray(t * I, (t + 1) * I));
      for (let t = 0; t < T; t++) output.set(await player.step(frames[t]), t * H);
      let t = 0;
      const step = () => {
        t = t + 1 < T ? t + 1 : 0;
        return player.step(frames[t]);
      };
      this.#stopwatch = new Stopwatch(step, where);
    }
    this.#stepsPerCall = shape.stream ? (player.stepsPerCall ?? 1) : 1;
    return { version: player.version, output };
  }

  async warm({ ms }) {
    await this.#stopwatch.warm(ms);
  }

  /** Microseconds a step of a stream, or a sequence. */
  async round({ ms }) {
    const samples = await this.#stopwatch.round(ms);
    return samples.map((us) => us / this.#stepsPerCall);
  }
}

/** The answer to one question, as data that can be sent. */
export async function answer(turn, method, argument) {
  try {
    return { value: await turn[method](argument) };
  } catch (error) {
    // in a page an import that fails has no code
    const missing = /MODULE_NOT_FOUND/.test(error.code) || /dynamically imported module/.test(error.message);
    if (missing) return { error: 'not installed (npm ci --ignore-scripts in benchmarks/peers)', unavailable: true };
    return { error: error.message.split('\n')[0], unavailable: error instanceof Unavailable };
  }
}

/** The value that was answered, or the error. */
export function answerOf({ value, error, unavailable }) {
  if (error === undefined) return value;
  throw unavailable ? new Unavailable(error) : new Error(error);
}
