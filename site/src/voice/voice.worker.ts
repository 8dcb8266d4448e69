// Silero VAD for the page, off its main thread: sound in, a probability and the cell state of each step out.
import { parseSafetensors } from 'lstm-wasm/safetensors';
import { FRAME, RATE, VoiceNetwork } from '../../../examples/voice-activity/network.mjs';
import { fetchBytes } from '../kit/bytes.ts';
import { inBlocks, resampling } from '../kit/resample.ts';
import { Spectrogram } from '../kit/spectrogram.ts';
import { serve, tell } from '../kit/worker.ts';
import { Effects } from './effects.ts';
import { type Loaded, type ModelName, type Part, UNITS } from './parts.ts';

/** The |c| at which the colours of the heat map end: nine in ten units stay below it in the built-in recording. */
const LIMITS: Record<ModelName, number> = { v5: 150, v6: 25 };

interface Model {
  readonly network: VoiceNetwork;
  readonly loaded: Loaded;
}

/** One sound that is heard from its beginning on. */
class Hearing {
  #ids: Int32Array;
  #frames = inBlocks(FRAME);
  #resample: (samples: Float32Array) => Float32Array;
  #spectrogram = new Spectrogram(RATE, 8);
  #effects = new Effects(UNITS);
  #probability = new Float32Array(1);

  constructor(
    private readonly model: Model,
    rate: number,
  ) {
    this.#ids = Int32Array.of(model.network.open());
    this.#resample = resampling(rate, RATE);
  }

  hear(samples: Float32Array): Part {
    const sound = this.#frames(this.#resample(samples));
    const steps = sound.length / FRAME;
    const part = {
      samples: sound,
      probabilities: new Float32Array(steps),
      cells: new Uint8Array(steps * UNITS),
      above: new Uint8Array(steps),
      below: new Uint8Array(steps),
      milliseconds: 0,
    };
    const scale = 127 / Math.asinh(this.model.loaded.limit);
    for (let step = 0; step < steps; step++) {
      const frame = sound.subarray(step * FRAME, (step + 1) * FRAME);
      const before = performance.now();
      this.model.network.step(this.#ids, frame, this.#probability);
      part.milliseconds += performance.now() - before;
      part.probabilities[step] = this.#probability[0]!;
      const { c } = this.model.network.getState(this.#ids[0]!) as { c: Float32Array };
      for (const [unit, value] of c.entries()) {
        if (value > 1) part.above[step]!++;
        if (value < -1) part.below[step]!++;
        part.cells[step * UNITS + unit] = 128 + Math.max(-127, Math.min(127, Math.round(scale * Math.asinh(value))));
      }
      this.#effects.add(part.cells.subarray(step * UNITS, (step + 1) * UNITS), this.#probability[0]! >= 0.5);
    }
    this.#spectrogram.add(sound);
    return { ...part, spectrum: this.#spectrogram.take() };
  }

  order(): Uint8Array {
    return this.#effects.order();
  }

  end(): void {
    this.model.network.close(this.#ids[0]!);
  }
}

const models = new Map<ModelName, Promise<Model>>();
const hearings = new Map<number, Hearing>();
let next = 0;

async function open(name: ModelName, folder: string): Promise<Model> {
  const { bytes, sent } = await fetchBytes(`${folder}silero-${name}.safetensors`, (come, all) => tell({ come, all }));
  return { network: new VoiceNetwork(parseSafetensors(bytes)), loaded: { bytes: sent, limit: LIMITS[name] } };
}

const functions = {
  /** Fetches a model unless it is there. Reports how many bytes have come. */
  async load(name: ModelName, folder: string): Promise<Loaded> {
    const model = models.get(name) ?? open(name, folder);
    models.set(name, model);
    // what failed may be tried again
    model.catch(() => models.delete(name));
    return (await model).loaded;
  },
  /** Begins to hear a sound of a rate. Returns its id. */
  async begin(name: ModelName, rate: number): Promise<number> {
    hearings.set(next, new Hearing((await models.get(name))!, rate));
    return next++;
  },
  hear: (id: number, samples: Float32Array): Part => hearings.get(id)!.hear(samples),
  /** Ends a sound. Returns its units in the order of their effect. */
  end(id: number): Uint8Array {
    const order = hearings.get(id)!.order();
    hearings.get(id)!.end();
    hearings.delete(id);
    return order;
  },
};

export type VoiceFunctions = typeof functions;

serve(functions, (result) => {
  const { samples, probabilities, cells, spectrum } = Object(result) as Partial<Part>;
  return samples ? [samples.buffer, probabilities!.buffer, cells!.buffer, spectrum!.buffer] : [];
});
