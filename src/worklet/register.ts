import { Host, type MakeEffect, type Port } from './host.ts';
import { knobName, MAX_KNOBS, processorName } from './messages.ts';

/** An AudioParam as a processor declares it. */
interface ParameterDescriptor {
  readonly name: string;
  readonly defaultValue: number;
  readonly automationRate: 'k-rate';
}

type Channels = readonly (readonly Float32Array[])[];

interface Processor {
  process(inputs: Channels, outputs: Channels, parameters: Record<string, Float32Array>): boolean;
}

/** The part of AudioWorkletGlobalScope that is used. */
interface WorkletScope {
  readonly AudioWorkletProcessor: abstract new () => { readonly port: Port };
  readonly sampleRate: number;
  registerProcessor(
    name: string,
    processor: {
      new (options?: { processorOptions?: unknown }): Processor;
      readonly parameterDescriptors: readonly ParameterDescriptor[];
    },
  ): void;
}

/** Registers processors that play what `make` makes: one for each number of knobs, since AudioParams are declared by the class. */
export function registerProcessors(name: string, make: MakeEffect): void {
  const scope = globalThis as unknown as WorkletScope;
  for (let knobs = 0; knobs <= MAX_KNOBS; knobs++) {
    const parameterDescriptors = Array.from({ length: knobs }, (_, k) => {
      return { name: knobName(k), defaultValue: 0, automationRate: 'k-rate' as const };
    });
    class EffectProcessor extends scope.AudioWorkletProcessor implements Processor {
      static readonly parameterDescriptors = parameterDescriptors;
      private readonly _host: Host;

      constructor(options?: { processorOptions?: unknown }) {
        super();
        this._host = new Host(this.port, scope.sampleRate, make, options?.processorOptions);
      }

      process(inputs: Channels, outputs: Channels, parameters: Record<string, Float32Array>): boolean {
        return this._host.process(inputs[0]!, outputs[0]!, parameters);
      }
    }
    try {
      scope.registerProcessor(processorName(name, knobs), EffectProcessor);
    } catch (error) {
      // the same file under another URL was here before
      if ((error as { name?: unknown }).name !== 'NotSupportedError') throw error;
    }
  }
}
