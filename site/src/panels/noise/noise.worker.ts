// DTLN for the page, off its main thread: noisy sound in, the same and the cleaned one out, sample on sample, with both spectrograms.
import { parseSafetensors } from 'lstm-wasm/safetensors';
import { BLOCK, DELAY, Dtln, RATE } from '../../../../examples/dtln/network.mjs';
import { fetchBytes } from '../../kit/bytes.ts';
import { inBlocks, resampling } from '../../kit/resample.ts';
import { Spectrogram } from '../../kit/spectrogram.ts';
import { serve, tell } from '../../kit/worker.ts';
import type { NoisePart } from './pair.ts';

/** Noise is what this panel is about: it is drawn darker than where voices are looked for. */
const GAMMA = 1.4;

/** One sound that is cleaned from its beginning on. */
class Cleaning {
  #stream: ReturnType<Dtln['stream']>;
  #blocks = inBlocks(BLOCK);
  #resample: (samples: Float32Array) => Float32Array;
  /** What went in and has not come out yet: the last DELAY samples. */
  #waiting = new Float32Array(DELAY);
  /** Blocks that come out before the first sample of the sound does. */
  #early = DELAY / BLOCK;
  #pictures = new Pictures();

  constructor(dtln: Dtln, rate: number) {
    this.#stream = dtln.stream();
    this.#resample = resampling(rate, RATE);
  }

  clean(samples: Float32Array): NoisePart {
    const sound = this.#blocks(this.#resample(samples));
    const cleaned = new Float32Array(sound.length);
    const begun = performance.now();
    for (let at = 0; at < sound.length; at += BLOCK) {
      this.#stream.process(sound.subarray(at, at + BLOCK), cleaned.subarray(at, at + BLOCK));
    }
    const milliseconds = performance.now() - begun;
    const skip = Math.min(this.#early, sound.length / BLOCK);
    this.#early -= skip;
    const late = new Float32Array(DELAY + sound.length);
    late.set(this.#waiting);
    late.set(sound, DELAY);
    this.#waiting = late.slice(sound.length);
    const pair = { noisy: late.slice(skip * BLOCK, sound.length), cleaned: cleaned.slice(skip * BLOCK) };
    return { ...pair, ...this.#pictures.of(pair), blocks: sound.length / BLOCK, milliseconds };
  }

  end(): void {
    this.#stream.dispose();
  }
}

/** The spectrograms of what is kept and of what is taken away. */
class Pictures {
  #kept = new Spectrogram(RATE, 8, GAMMA);
  #taken = new Spectrogram(RATE, 8, GAMMA);

  of({ noisy, cleaned }: Pick<NoisePart, 'noisy' | 'cleaned'>): Pick<NoisePart, 'kept' | 'taken'> {
    this.#kept.add(cleaned);
    this.#taken.add(noisy.map((sample, n) => sample - cleaned[n]!));
    return { kept: this.#kept.take(), taken: this.#taken.take() };
  }
}

let model: Promise<{ dtln: Dtln; bytes: number }> | undefined;
const cleanings = new Map<number, Cleaning>();
let next = 0;

async function open(url: string) {
  const { bytes, sent } = await fetchBytes(url, (come, all) => tell({ come, all }));
  return { dtln: new Dtln(parseSafetensors(bytes)), bytes: sent };
}

const functions = {
  /** Fetches the model unless it is there. Reports how many bytes have come. Returns how many came in all. */
  async load(url: string): Promise<number> {
    model ??= open(url);
    // what failed may be tried again
    model.catch(() => {
      model = undefined;
    });
    return (await model).bytes;
  },
  /** Begins to clean a sound of a rate. Returns its id. */
  async begin(rate: number): Promise<number> {
    cleanings.set(next, new Cleaning((await model!).dtln, rate));
    return next++;
  },
  clean: (id: number, samples: Float32Array): NoisePart => cleanings.get(id)!.clean(samples),
  end(id: number): void {
    cleanings.get(id)!.end();
    cleanings.delete(id);
  },
  /** Draws a pair of sounds that is there already. */
  draw(noisy: Float32Array, cleaned: Float32Array): NoisePart {
    const pictures = new Pictures();
    const parts = [];
    for (let at = 0; at < noisy.length; at += 4 * RATE) {
      parts.push(
        pictures.of({ noisy: noisy.subarray(at, at + 4 * RATE), cleaned: cleaned.subarray(at, at + 4 * RATE) }),
      );
    }
    const [kept, taken] = [join(parts.map((part) => part.kept)), join(parts.map((part) => part.taken))];
    return { noisy, cleaned, kept, taken, blocks: 0, milliseconds: 0 };
  },
};

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export type NoiseFunctions = typeof functions;

serve(functions, (result) => {
  const { noisy, cleaned, kept, taken } = Object(result) as Partial<NoisePart>;
  return noisy ? [noisy.buffer, cleaned!.buffer, kept!.buffer, taken!.buffer] : [];
});
