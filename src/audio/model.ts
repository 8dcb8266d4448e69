import { Owner } from '../base/owner.ts';
import { checkFloats, describe, wrongType, wrongValue } from '../base/tensor.ts';
import { type AudioLayer, makeStage, type Stage, type StageParts, type Target } from './stages.ts';

/** The most samples that go through the stages at once. */
const MAX_BLOCK = 1024;
/** The most floats of a stage's outputs for a block, so that a block stays in the cache. */
const BLOCK_FLOATS = 65_536;

/** The contents of a file, as a reader gives them. */
export interface AudioModelParts {
  readonly who: string;
  readonly sampleRate: number | undefined;
  /** The stages in the order of the signal, each with the inputs that the one before it gives, and the last with one output. */
  readonly stages: readonly StageParts[];
  /** Whether the input is added to the output. */
  readonly skip: boolean;
}

/**
 * An audio effect, made by loadNam(), loadRTNeural() or loadGuitarML(): one sample in, one sample out. Its state goes on from
 * block to block, so that every block length gives the same bits.
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { loadNam } from 'lstm-wasm/audio';
 *
 * const amp = loadNam(readFileSync('amp.nam', 'utf8'));
 * console.log(amp.sampleRate); // 48000
 * const [input, whole, parts] = [new Float32Array(256).fill(0.5), new Float32Array(256), new Float32Array(256)];
 * amp.process(input, whole);
 * amp.reset(); // a new session
 * amp.process(input.subarray(0, 100), parts.subarray(0, 100));
 * amp.process(input.subarray(100), parts.subarray(100));
 * console.log(parts.every((sample, i) => sample === whole[i])); // true
 * amp.dispose();
 * ```
 */
export class AudioModel extends Owner {
  /** The sample rate in Hz of the audio that the model was trained on; undefined if the file does not say. */
  readonly sampleRate: number | undefined;
  /** The number of the model's inputs beside the signal. */
  readonly knobs: number;
  /** The layers in the order of the signal: LSTMs, GRUs and linear layers. */
  readonly layers: readonly AudioLayer[];
  /** Whether the input is added to the output of the last layer. */
  readonly skip: boolean;
  private readonly _stages: Stage[] = [];
  /** For blocks of ... 4, 2, 1 samples: the first stage's input and every stage's output. All blocks share three buffers. */
  private readonly _blocks: Target[][] = [];

  /** @internal */
  constructor({ who, sampleRate, stages, skip }: AudioModelParts) {
    super(who);
    this.sampleRate = sampleRate;
    this.skip = skip;
    try {
      for (const parts of stages) this._stages.push(makeStage(parts));
      this.layers = this._stages.map(({ layer }) => layer);
      const widths = [this._stages[0]!.inputSize, ...this._stages.map(({ outputSize }) => outputSize)];
      const most = Math.min(MAX_BLOCK, BLOCK_FLOATS / widths.reduce((a, b) => Math.max(a, b)));
      let size = 1;
      while (2 * size <= most) size *= 2;
      this.knobs = widths[0]! - 1;
      const makeBlock = blockMaker(widths, size);
      for (; size >= 1; size /= 2) this._blocks.push(makeBlock(size));
      // runs once, so that linear memory grows now and not while audio plays
      this._run(this._blocks[0]!);
      this.reset();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Plays a block of any length. Allocates nothing.
   * @param input (n), samples
   * @param output (n), to write to; may be `input`
   * @param knobs (k), the model's other inputs, the same for the whole block
   * @throws TypeError or RangeError that names the argument; nothing is played then
   */
  process(input: Float32Array, output: Float32Array, knobs?: ArrayLike<number>): void {
    this.checkAlive();
    this._checkBlock(input, output);
    this._checkKnobs(knobs);
    let k = 0;
    for (let at = 0; at < input.length; ) {
      // blocks of powers of two have views already; a view of another length would be garbage
      while (samplesOf(this._blocks[k]!) > input.length - at) k++;
      at = this._playBlock(this._blocks[k]!, input, output, at, knobs);
    }
  }

  /**
   * Goes back to the state in which a session starts: the one in the file, or zeros.
   * @throws Error after dispose()
   */
  reset(): void {
    this.checkAlive();
    for (const stage of this._stages) stage.reset();
  }

  protected override free(): void {
    for (const stage of this._stages) stage.dispose();
  }

  private _playBlock(
    block: readonly Target[],
    input: Float32Array,
    output: Float32Array,
    at: number,
    knobs: ArrayLike<number> | undefined,
  ): number {
    const x = block[0]!.out.data;
    const { inputSize } = this._stages[0]!;
    for (let i = 0, n = at; i < x.length; i += inputSize, n++) {
      x[i] = input[n]!;
      for (let k = 1; k < inputSize; k++) x[i + k] = knobs![k - 1]!;
    }
    this._run(block);
    const y = block[block.length - 1]!.out.data;
    for (let i = 0; i < y.length; i++) output[at + i] = this.skip ? y[i]! + x[i * inputSize]! : y[i]!;
    return at + y.length;
  }

  private _run(block: readonly Target[]): void {
    for (let s = 0; s < this._stages.length; s++) this._stages[s]!.run(block[s]!.out, block[s + 1]!);
  }

  private _checkBlock(input: Float32Array, output: Float32Array): void {
    checkFloats(this.who, 'input', input);
    checkFloats(this.who, 'output', output);
    if (output.length !== input.length) {
      throw wrongValue(this.who, 'output', `${input.length} samples, the length of "input"`, output.length);
    }
    const distance = Math.abs(output.byteOffset - input.byteOffset);
    if (output.buffer === input.buffer && distance > 0 && distance < input.byteLength) {
      throw wrongValue(this.who, 'output', '"input" itself or other memory', 'a view that overlaps it');
    }
  }

  private _checkKnobs(knobs: ArrayLike<number> | undefined): void {
    const count = this.knobs;
    if (knobs !== undefined && !Array.isArray(knobs) && !ArrayBuffer.isView(knobs)) {
      throw wrongType(this.who, 'knobs', 'an array of numbers', knobs);
    }
    const given = knobs?.length ?? 0;
    if (given > count) {
      throw new RangeError(`${this.who}: "knobs[${count}]" is superfluous: the model has ${count} knobs, got ${given}`);
    }
    for (let k = 0; k < count; k++) {
      // knobs[k] is read thrice, since a variable of any type would put the number on the heap
      if (k >= given || typeof knobs![k] !== 'number' || !Number.isFinite(Math.fround(knobs![k]!))) {
        const text = `expected a finite number, got ${describe(knobs?.[k])}; the model has ${count} knobs`;
        throw new RangeError(`${this.who}: "knobs[${k}]" ${text}`);
      }
    }
  }
}

/**
 * Makes a function that makes a block of so many samples: the targets of all widths. A stage reads the target before its own, so
 * two buffers in turn serve all stages, and one view all targets of its width in a buffer; the input is kept for the skip.
 */
function blockMaker(widths: readonly number[], most: number): (rows: number) => Target[] {
  const [first, ...rest] = widths;
  const buffers = [rest, rest, [first!]].map(
    (list) => new Float32Array(most * list.reduce((a, b) => Math.max(a, b), 0)),
  );
  return (rows) => {
    const views = buffers.map(() => new Map<number, Target>());
    return widths.map((width, i) => {
      const turn = i === 0 ? 2 : i % 2;
      const view = views[turn]!.get(width) ?? {
        out: { data: buffers[turn]!.subarray(0, rows * width), dims: [rows, width] },
      };
      views[turn]!.set(width, view);
      return view;
    });
  };
}

/** Counts the samples of a block: its last stage has one output for each. */
function samplesOf(block: readonly Target[]): number {
  return block[block.length - 1]!.out.data.length;
}
