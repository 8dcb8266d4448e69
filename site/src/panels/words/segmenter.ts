import { Embedding, Linear, LSTM, type StateDict, softmax } from 'lstm-wasm';
import { parseSafetensors } from 'lstm-wasm/safetensors';
import { cut, type Reading, runs } from './cuts.ts';

/** The model's outputs for a letter: it begins a word, is inside of one, ends one, or is a word by itself. */
const [BEGINS, ALONE, LABELS] = [0, 3, 4];

/** A bidirectional LSTM between an embedding of letters and a linear layer, one of those that Unicode trained for ICU. */
export class Segmenter {
  readonly units: number;
  #rows: Map<number, number>;
  #embedding: Embedding;
  #lstm: LSTM;
  #dense: Linear;

  /** @param bytes words.safetensors */
  constructor(bytes: Uint8Array) {
    const tensors = parseSafetensors(bytes);
    const part = (prefix: string): StateDict =>
      new Map(
        [...tensors]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
      ) as StateDict;
    this.#rows = new Map(Array.from(tensors.get('letters')!.data as Int32Array, (letter, row) => [letter, row]));
    this.#embedding = Embedding.fromStateDict(part('embedding.'));
    this.#lstm = LSTM.fromStateDict(part('lstm.'));
    this.#dense = Linear.fromStateDict(part('dense.'));
    this.units = 2 * this.#lstm.hiddenSize;
  }

  read(text: string): Reading {
    const letters = [...text];
    const states = new Float32Array(letters.length * this.units);
    const starts = new Float32Array(letters.length).fill(Number.NaN);
    for (const run of runs(text)) {
      const { output, probabilities } = this.#run(letters.slice(run.from, run.to));
      states.set(output, run.from * this.units);
      for (let t = run.from; t < run.to; t++) {
        const at = LABELS * (t - run.from);
        starts[t] = probabilities[at + BEGINS]! + probabilities[at + ALONE]!;
      }
    }
    return { letters, states, units: this.units, starts, words: cut(letters, starts) };
  }

  #run(letters: readonly string[]): { output: Float32Array; probabilities: Float32Array } {
    const unknown = this.#embedding.numEmbeddings - 1;
    const data = letters.map((letter) => this.#rows.get(letter.codePointAt(0)!) ?? unknown);
    const { output } = this.#lstm.forward(this.#embedding.forward({ data, dims: [data.length] }));
    return { output: output.data, probabilities: softmax(this.#dense.forward(output), -1).data };
  }
}
