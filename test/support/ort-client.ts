// A program for onnxruntime-web, with its types: test/ort-types.slow.node.test.ts checks it against onnxruntime-common's declarations
// and against ours.
import * as ort from 'onnxruntime-web';

type Feeds = Record<string, ort.Tensor>;

ort.env.logLevel = 'error';
ort.env.debug = false;
ort.env.wasm.numThreads = 1;
ort.env.wasm.simd = true;
ort.env.wasm.proxy = false;
ort.env.wasm.initTimeout = 1000;
ort.env.wasm.wasmPaths = `/onnxruntime-web@${ort.env.versions.common}/`;
ort.env.wasm.wasmPaths = { wasm: new URL('https://example.org/ort.wasm'), mjs: '/ort.mjs' };

const options: ort.InferenceSession.SessionOptions = {
  executionProviders: ['wasm', { name: 'webgpu' }],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  enableCpuMemArena: true,
  enableMemPattern: true,
  interOpNumThreads: 1,
  intraOpNumThreads: 1,
  logSeverityLevel: 3,
  logVerbosityLevel: 0,
  logId: 'vad',
  freeDimensionOverrides: { batch: 1 },
  preferredOutputLocation: 'cpu',
  extra: { session: { use_ort_model_bytes_directly: '1' } },
};
const runOptions: ort.InferenceSession.RunOptions = { logSeverityLevel: 3, terminate: false, tag: 'step', extra: {} };

/** A recurrent model, its state fed back. */
export class Recurrent {
  private state: ort.Tensor = new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]);
  private readonly rate: ort.TypedTensor<'int64'> = new ort.Tensor('int64', [16000n]);
  private readonly session: ort.InferenceSession;

  private constructor(session: ort.InferenceSession) {
    this.session = session;
  }

  static async open(model: string | ArrayBuffer | Uint8Array): Promise<Recurrent> {
    if (typeof model === 'string') return new Recurrent(await ort.InferenceSession.create(model, options));
    if (model instanceof Uint8Array) return new Recurrent(await ort.InferenceSession.create(model, options));
    const whole = await ort.InferenceSession.create(model);
    await whole.release();
    return new Recurrent(await ort.InferenceSession.create(model, 0, model.byteLength, options));
  }

  async step(frame: Float32Array): Promise<number> {
    const input = new ort.Tensor('float32', frame, [1, frame.length]);
    const feeds: Feeds = { input, state: this.state, sr: this.rate };
    const results: ort.InferenceSession.OnnxValueMapType = await this.session.run(feeds, runOptions);
    this.state = results.stateN!;
    const data = (await results.output!.getData()) as Float32Array;
    input.dispose();
    return data[0]!;
  }

  async fetched(feeds: ort.InferenceSession.FeedsType): Promise<ort.InferenceSession.ReturnType> {
    const into: ort.InferenceSession.NullableOnnxValueMapType = {
      output: new ort.Tensor(new Float32Array(1), [1, 1]),
      stateN: null,
    };
    await this.session.run(feeds, into, runOptions);
    const fetches: ort.InferenceSession.FetchesType = ['output'];
    return this.session.run(feeds, fetches);
  }

  describe(): string[] {
    const { inputNames, outputNames, inputMetadata, outputMetadata } = this.session;
    const lines: string[] = [...inputNames, ...outputNames];
    for (const value of [...inputMetadata, ...outputMetadata]) {
      if (!value.isTensor) continue;
      const shape: (number | string)[] = [...value.shape];
      lines.push(`${value.name}: ${value.type} ${shape.join(' x ')}`);
    }
    return lines;
  }
}

const flag: ort.TypedTensor<'bool'> = new ort.Tensor('bool', [true, false], [2]);
const alsoFlag: ort.TypedTensor<'bool'> = new ort.Tensor([true, false]);
const lengths: ort.TypedTensor<'int64'> = new ort.Tensor(BigInt64Array.of(3n));
const counted: ort.TypedTensor<'int64'> = new ort.Tensor('int64', [1, 2, 3], [3]);
const indices: ort.TypedTensor<'int32'> = new ort.Tensor(Int32Array.of(1, 2), [2, 1]);
const floats: ort.TypedTensor<'float32'> = new ort.Tensor('float32', [1, 2, 3, 4], [2, 2]);
const flat: ort.TypedTensor<'float32'> = floats.reshape([4]);
const any: ort.Tensor = flat;
const numbers: Float32Array = flat.data;
const bits: Uint8Array = flag.data;
const integers: BigInt64Array = lengths.data;
const type: ort.Tensor.Type = any.type;
const location: ort.Tensor.DataLocation = any.location;
const onGpu = (tensor: ort.Tensor): boolean => tensor.location === 'gpu-buffer' || tensor.location === 'ml-tensor';
const released: Promise<Float32Array> = flat.getData(true);
const pinned: ort.TypedTensor<'float32'> = ort.Tensor.fromPinnedBuffer('float32', numbers, [4]);
const providers: ort.InferenceSession.ExecutionProviderConfig[] = ['webgpu', { name: 'wasm' }];
const made: ort.Tensor = new ort.Tensor(type, numbers, any.dims);
const total = (tensor: ort.Tensor): number => (tensor instanceof ort.Tensor ? tensor.size : 0);
const narrowed = (tensor: ort.Tensor): Float32Array | undefined =>
  tensor.type === 'float32' ? (tensor.data as Float32Array) : undefined;
const alone = (session: Pick<ort.InferenceSession, 'run' | 'release'>): Promise<void> => session.release();

export const all = { alone, alsoFlag, bits, counted, indices, integers, location, made, narrowed, total };
export const more = { onGpu, pinned, providers, released };
