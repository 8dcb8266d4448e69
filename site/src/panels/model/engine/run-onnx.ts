import type { OnnxResult, OnnxSession } from 'lstm-wasm/onnx';
import type { OpenedModel } from './open.ts';
import { otherValue, type Plan, planPorts } from './ports.ts';
import { saidOf, vectorText } from './said.ts';
import type { Sequence } from './sequence.ts';
import { mostSteps, type Outcome, type Subject, takesOf } from './subject.ts';
import { largestDifference, TraceLog } from './traces.ts';

// Models of ONNX, as a whole or in pieces whose states go from call to call.

type Results = Readonly<Record<string, OnnxResult>>;
type Feed = ReturnType<typeof otherValue>;

/** Makes an ONNX model ready. @param words how many ids an embedding of it has */
export async function onnxSubject({ main, beside, model }: OpenedModel, words: number | undefined): Promise<Subject> {
  const { loadOnnx } = await import('lstm-wasm/onnx');
  const externalData = new Map(beside);
  const load = (int8: boolean) => loadOnnx(main!, { externalData, ...(int8 ? { quantize: 8 } : {}) });
  const session = load(false);
  const first = session.lstms.find(({ stateDict }) => stateDict)?.stateDict?.get('weight_ih_l0')?.dims[1];
  const isDirect = session.inputs.length === 1 || session.inputs.every(({ dims }) => dims?.length !== 0);
  const plan = planPorts(session.inputs, session.outputs, isDirect ? first : undefined);
  const units = session.lstms.reduce((sum, _, k) => sum + Number(model.lstms[k]?.options.hidden_size ?? 0) * 2, 0);
  const need = {
    kind: plan.isIds ? 'ids' : plan.isSamples ? 'samples' : 'rows',
    width: plan.width,
    ...(words ? { words } : {}),
    fixed: plan.fixed,
    most: mostSteps(units) * (plan.isSamples ? (plan.pieces?.length ?? 1) : 1),
  } as const;
  let small: OnnxSession | undefined;
  return {
    need,
    takes: takesOf(need),
    rate: plan.isSamples ? 16_000 : undefined,
    scope: ' in all its layers',
    run: async (sequence) => runSession(session, plan, sequence),
    runInt8: async (sequence) => {
      small ??= load(true);
      return runSession(small, plan, sequence);
    },
  };
}

function runSession(session: OnnxSession, plan: Plan, sequence: Sequence): Outcome {
  return plan.pieces ? runPieces(session, plan, sequence, plan.pieces) : runWhole(session, plan, sequence);
}

function feedsFor(session: OnnxSession, plan: Plan, data: Float32Array, steps: number): Map<string, Feed> {
  const feeds = new Map<string, Feed>();
  for (const port of session.inputs) {
    if (port.name !== plan.main.name) feeds.set(port.name, otherValue(port, steps));
  }
  feeds.set(plan.main.name, { data: typed(plan.main.type, data), dims: plan.sizes(steps) });
  return feeds;
}

function typed(type: string, data: Float32Array): Feed['data'] {
  if (type === 'int64') return BigInt64Array.from(data, (value) => BigInt(Math.trunc(value)));
  if (type === 'int32') return Int32Array.from(data);
  if (type === 'uint8' || type === 'bool') return Uint8Array.from(data);
  return type === 'int8' ? Int8Array.from(data) : data;
}

function addNodes(log: TraceLog, nodes: Readonly<Record<string, Parameters<TraceLog['add']>[3]>>): void {
  for (const [name, layer] of Object.entries(nodes)) log.add(name, 0, 1, layer);
}

const isState = (plan: Plan, name: string) => [...plan.states.values()].includes(name);

function runWhole(session: OnnxSession, plan: Plan, { data, steps }: Sequence): Outcome {
  const feeds = feedsFor(session, plan, data, steps);
  const start = performance.now();
  const results = session.run(feeds);
  const seconds = (performance.now() - start) / 1000;
  const { outputs, nodes } = session.trace(feeds);
  const log = new TraceLog();
  addNodes(log, nodes);
  const names = Object.keys(results).filter((name) => !isState(plan, name));
  const said = saidOf(
    names.map((name) => ({ name, ...results[name]! })),
    steps,
  );
  return {
    ...{ seconds, steps, log, said, notes: [] },
    answer: said || !names[0] ? undefined : `${names[0]}: ${vectorText(results[names[0]]!.data)}`,
    difference: compare(results, outputs),
    compared: 'every number of the outputs',
  };
}

function compare(a: Results, b: Results): number {
  return Math.max(0, ...Object.keys(a).map((name) => differ(a[name]!.data, b[name]!.data)));
}

function differ(a: OnnxResult['data'], b: OnnxResult['data']): number {
  const numbers = (data: OnnxResult['data']) => (data instanceof BigInt64Array ? Array.from(data, Number) : data);
  return largestDifference(numbers(a) as ArrayLike<number>, numbers(b) as ArrayLike<number>);
}

function runPieces(
  session: OnnxSession,
  plan: Plan,
  { data, width }: Sequence,
  { length, before }: NonNullable<Plan['pieces']>,
): Outcome {
  const calls = Math.max(1, Math.floor(data.length / (length * width)));
  const piece = new Float32Array((length + before) * width);
  const take = (call: number) => {
    piece.fill(0);
    const start = (call * length - before) * width;
    const part = data.subarray(Math.max(0, start), start + piece.length);
    piece.set(part, Math.max(0, -start));
    return piece;
  };
  const log = new TraceLog();
  const said: { name: string; values: number[]; width: number }[] = [];
  const start = performance.now();
  const plain: Results[] = [];
  eachCall(session, plan, calls, take, length + before, (feeds) => {
    const results = session.run(feeds);
    plain.push(results);
    return results;
  });
  const seconds = (performance.now() - start) / 1000;
  let difference = 0;
  eachCall(session, plan, calls, take, length + before, (feeds, call) => {
    const { outputs, nodes } = session.trace(feeds);
    addNodes(log, nodes);
    difference = Math.max(difference, compare(plain[call]!, outputs));
    return outputs;
  });
  for (const [name, first] of Object.entries(plain[0]!)) {
    if (isState(plan, name) || !(first.data instanceof Float32Array)) continue;
    said.push({
      name,
      width: first.data.length,
      values: plain.flatMap((results) => Array.from(results[name]!.data as Float32Array)),
    });
  }
  const chosen = said[0];
  return {
    ...{ seconds, steps: calls, log, difference, notes: [] },
    compared: 'every answer and state',
    said: chosen && { name: chosen.name, data: Float32Array.from(chosen.values), width: chosen.width, count: calls },
  };
}

/** Calls with the states of the call before. */
function eachCall(
  session: OnnxSession,
  plan: Plan,
  calls: number,
  take: (call: number) => Float32Array,
  size: number,
  run: (feeds: Map<string, Feed>, call: number) => Results,
): void {
  let feeds = feedsFor(session, plan, take(0), size);
  for (let call = 0; call < calls; call++) {
    if (call > 0) feeds.set(plan.main.name, { data: typed(plan.main.type, take(call)), dims: plan.sizes(size) });
    const results = run(feeds, call);
    feeds = new Map(feeds);
    for (const [input, output] of plan.states) feeds.set(input, results[output] as unknown as Feed);
  }
}
