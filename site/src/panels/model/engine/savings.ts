import { convertChain } from '../../../../../src/cli/conversion.ts';
import type { Chain, FoundLstm, Model } from '../../../../../src/cli/model.ts';
import { makeLstm } from '../../../../../src/cli/models/lstm-runner.ts';
import { errorText } from '../numbers.ts';
import type { Saving, Savings } from '../types.ts';
import { randomNumbers, type Sequence } from './sequence.ts';
import type { Outcome, Subject } from './subject.ts';
import { largestDifference } from './traces.ts';
import { sentenceFor } from './trouble.ts';

// Safetensors of a model, as `npx lstm-wasm convert` writes them, and what 8 bits change.

const KINDS = ['float32', 'int8'] as const;
/** Steps of a call, the least milliseconds of a measurement, and calls before it, after which code is compiled well. */
const [STEPS, LEAST, WARM] = [256, 40, 4];

interface Written {
  readonly what: string;
  readonly bytes: Readonly<Record<Saving['kind'], Uint8Array | undefined>>;
  readonly timed: FoundLstm;
}

/** Writes the model, or the LSTM alone where other layers have no place in a state dict. @param chosen the LSTM that is looked at */
export async function write(model: Model, chosen: string | undefined): Promise<Written | undefined> {
  const usable = model.lstms.filter(({ weights }) => weights);
  const lstm = usable.find(({ name }) => name === chosen) ?? usable[0];
  if (!lstm) return undefined;
  const alone: Chain = { lstms: [lstm], heads: [], answers: undefined };
  const whole = await model.chain().catch(() => undefined);
  for (const [chain, what] of [
    [whole, 'the whole model'],
    [alone, `the LSTM alone: the other layers have no place in a state dict`],
  ] as const) {
    if (!chain) continue;
    try {
      const float32 = convertChain(chain, false).bytes;
      return { what, bytes: { float32, int8: writeSmall(chain) }, timed: lstm };
    } catch {
      // its layers, one after the other, are not the model: then the LSTM alone
    }
  }
  return undefined;
}

/** Undefined where weights cannot be made 8 bits, as those that are not finite. */
function writeSmall(chain: Chain): Uint8Array | undefined {
  try {
    return convertChain(chain, true).bytes;
  } catch {
    return undefined;
  }
}

/** Measures the LSTM of what was written, and what 8 bits change on an input. */
export async function describeSavings(
  written: Written,
  subject: Subject,
  sequence: Sequence,
  plain: Outcome,
): Promise<Savings> {
  const rows = KINDS.flatMap((kind): Saving[] => {
    const bytes = written.bytes[kind];
    return bytes ? [{ kind, bytes: bytes.length, step: stepSeconds(written.timed, kind === 'int8') }] : [];
  });
  const { inputSize, hiddenSize } = sizesOf(written.timed);
  return {
    rows,
    what: written.what,
    error: await errorOf(subject, sequence, plain),
    timed: `LSTM(${inputSize}, ${hiddenSize})`,
    timedSteps: STEPS,
  };
}

function sizesOf(found: FoundLstm): { inputSize: number; hiddenSize: number } {
  const { inputSize, hiddenSize, ...lstm } = makeLstm(found);
  void lstm;
  return { inputSize, hiddenSize };
}

/** The seconds of a step of an LSTM. */
function stepSeconds(found: FoundLstm, int8: boolean): number {
  const lstm = makeLstm(found, int8);
  const next = randomNumbers(3);
  const input = {
    data: Float32Array.from({ length: STEPS * lstm.inputSize }, () => 2 * next() - 1),
    dims: [STEPS, lstm.inputSize],
  };
  // as many runs as LEAST takes; the first only warm it up. A browser's clock may be too coarse for a single one
  const measure = (runs: number) => {
    const start = performance.now();
    let done = 0;
    do lstm.forward(input);
    while (++done < runs || performance.now() - start < LEAST);
    return (performance.now() - start) / done;
  };
  measure(WARM);
  const milliseconds = measure(1);
  lstm.dispose();
  return milliseconds / 1000 / STEPS;
}

async function errorOf(subject: Subject, sequence: Sequence, plain: Outcome): Promise<string> {
  if (!subject.runInt8)
    return 'What 8 bits change on this input was not measured: the package has 8 bits for LSTMs and linear layers alone, and this model has others before them.';
  let small: Outcome;
  try {
    small = await subject.runInt8(sequence);
  } catch (error) {
    return `It does not run with 8 bits: ${sentenceFor(error)}`;
  }
  const base = (await subject.runPlain?.(sequence)) ?? plain;
  const own = base.log.all();
  const hidden = [...small.log.all()].map(([key, { gates }]) =>
    largestDifference(gates.h, own.get(key)?.gates.h ?? gates.h),
  );
  const parts = [
    ...(hidden.length ? [`h by up to ${errorText(Math.max(...hidden))}`] : []),
    ...(base.said && small.said
      ? [`the answer by up to ${errorText(largestDifference(base.said.data, small.said.data))}`]
      : []),
  ];
  return parts.length ? `On this input 8 bits${subject.scope ?? ''} move ${parts.join(' and ')}.` : '';
}
