// Thai is written without spaces. A small bidirectional LSTM, one of those that Unicode trained for ICU, finds the words.
import { readFileSync } from 'node:fs';
import { Embedding, Linear, LSTM, packSequence, softmax, unpackSequence } from 'lstm-wasm';
import { check, count, largestDifference, row, runProgram, timed, tiny } from '../program.mjs';

const USAGE = `usage: node examples/word-segmentation/main.mjs [TEXT ...]

Prints the words of each TEXT (Thai) on a line of their own, with " | " between them.
Without TEXT: segments 34 lines whose words are published, checks the answer and reports.`;

/** Labels of a character, in the order of the model's outputs: a word's begin, inside, end, or a word by itself. */
const LABELS = 'BIES';
const TOLERANCE = 1e-5;

/**
 * @typedef {import('lstm-wasm').TensorLike} Tensor
 * @typedef {{ rows: Map<string, number>, embedding: Embedding, lstm: LSTM, dense: Linear }} Model
 */

/** @returns {Model} */
export function loadModel({ dic, ...matrices }) {
  const tensor = (k) => ({ data: Float32Array.from(matrices[`mat${k}`].data), dims: matrices[`mat${k}`].dim });

  const weight = tensor(1);
  const embedding = new Embedding(weight.dims[0], weight.dims[1]);
  embedding.loadStateDict({ weight });

  const lstm = LSTM.fromStateDict({
    ...torchFromKeras('l0', tensor(2), tensor(3), tensor(4)),
    ...torchFromKeras('l0_reverse', tensor(5), tensor(6), tensor(7)),
  });

  const kernel = tensor(8);
  const dense = new Linear(kernel.dims[0], kernel.dims[1]);
  dense.loadStateDict({ weight: transpose(kernel), bias: tensor(9) });

  return { rows: new Map(Object.entries(dic)), embedding, lstm, dense };
}

/**
 * One direction of a Keras LSTM under PyTorch's names. Keras computes x K + h R + b with K [I, 4H] and R [H, 4H], PyTorch
 * W_ih x + b_ih + W_hh h + b_hh with W_ih [4H, I] and W_hh [4H, H]: so the kernels are transposed, and of the two biases
 * one is Keras's and the other zero. The gates come in the order i, f, g, o in both.
 * @param {string} suffix
 * @param {Tensor} kernel
 * @param {Tensor} recurrentKernel
 * @param {Tensor} bias
 */
function torchFromKeras(suffix, kernel, recurrentKernel, bias) {
  return {
    [`weight_ih_${suffix}`]: transpose(kernel),
    [`weight_hh_${suffix}`]: transpose(recurrentKernel),
    [`bias_ih_${suffix}`]: bias,
    [`bias_hh_${suffix}`]: { data: new Float32Array(bias.data.length), dims: bias.dims },
  };
}

/** @param {Tensor} matrix @returns {Tensor} */
function transpose({ data, dims: [rows, columns] }) {
  return { data: data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]), dims: [columns, rows] };
}

/**
 * @param {Model} model
 * @param {string[]} texts
 * @returns {{ words: string[], probabilities: Float32Array }[]} for each text its words, and B, I, E, S for each character
 */
export function segment(model, texts) {
  // A character is a code point, which may be two UTF-16 units: a spread splits a string by code points.
  const lines = texts.map((text) => [...text]);
  const probabilities = predict(
    model,
    lines.filter((line) => line.length > 0), // an empty text has no words, and no place in a packed batch
  );
  return lines.map((line) => {
    const p = line.length > 0 ? probabilities.shift().data : new Float32Array(0);
    return { words: joinWords(line, p), probabilities: p };
  });
}

/**
 * All lines as one packed batch: no padding is computed, and every line comes out as it would alone.
 * @param {Model} model
 * @param {string[][]} lines none of them empty
 * @returns {Tensor[]} [T, 4] for each line
 */
function predict({ rows, embedding, lstm, dense }, lines) {
  if (lines.length === 0) return [];
  const unknown = embedding.numEmbeddings - 1;
  const embedded = lines.map((line) =>
    embedding.forward({ data: line.map((character) => rows.get(character) ?? unknown), dims: [line.length] }),
  );
  const { output } = lstm.forward(packSequence(embedded, { enforceSorted: false }));
  // Linear and softmax go row by row, so they take the rows of the packed output as they are.
  return unpackSequence({ ...output, data: softmax(dense.forward(output.data), -1) });
}

/** A word begins at the first character and wherever B or S is likeliest. */
function joinWords(line, probabilities) {
  const words = [];
  for (const [t, character] of line.entries()) {
    const p = probabilities.subarray(LABELS.length * t, LABELS.length * (t + 1));
    const label = LABELS[p.indexOf(Math.max(...p))];
    if (t === 0 || label === 'B' || label === 'S') words.push(character);
    else words[words.length - 1] += character;
  }
  return words;
}

const readJson = (name) => JSON.parse(readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8'));

/** Segments the published lines and reports. @returns {boolean} whether every check is right */
export function demonstrate() {
  const weights = readJson('thai-model5.weights.json');
  const { lines } = readJson('thai-model5.expected.json');
  const model = loadModel(weights);
  const texts = lines.map(({ text }) => text);
  const { result, milliseconds: first } = timed(() => segment(model, texts));
  const { milliseconds: second } = timed(() => segment(model, texts));

  const right = lines.filter(({ words }, i) => words.join('|') === result[i].words.join('|')).length;
  const differences = lines.map((line, i) => largestDifference(result[i].probabilities, line.probabilities.flat()));
  const worst = Math.max(...differences);
  const characters = result.reduce((sum, { probabilities }) => sum + probabilities.length / LABELS.length, 0);
  const { embedding, lstm, dense } = model;

  console.log('Thai word segmentation');
  row(
    'model',
    weights.model,
    [
      `Embedding(${embedding.numEmbeddings}, ${embedding.embeddingDim})`,
      `LSTM(${lstm.inputSize}, ${lstm.hiddenSize}, bidirectional)`,
      `Linear(${dense.inFeatures}, ${dense.outFeatures})`,
      'softmax',
    ].join(' -> '),
  );
  row('input', `${lines.length} lines, ${count(characters)} characters, as one packed batch`);
  row('result', ...result.slice(2, 4).map(({ words }) => words.join(' | ')));
  const ok = check(
    right === lines.length && worst <= TOLERANCE,
    `${right} of ${lines.length} lines as published; probabilities within ${tiny(worst)} of PyTorch's (allowed ${TOLERANCE.toExponential()})`,
  );
  row('time', `${first.toFixed(1)} ms the first time, ${second.toFixed(1)} ms the second`);
  return ok;
}

runProgram({
  url: import.meta.url,
  usage: USAGE,
  maxArguments: Number.POSITIVE_INFINITY,
  main(texts) {
    if (texts.length === 0) return demonstrate();
    for (const { words } of segment(loadModel(readJson('thai-model5.weights.json')), texts)) {
      console.log(words.join(' | '));
    }
    return true;
  },
});
