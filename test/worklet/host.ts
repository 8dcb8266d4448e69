import { Host, type MakeEffect } from '../../src/worklet/host.ts';
import type { FromProcessor, StartOptions, ToProcessor } from '../../src/worklet/messages.ts';
import { PROTOCOL } from '../../src/worklet/messages.ts';
import { makeModelEffect } from '../../src/worklet/model-effect.ts';
import { knobsOf, readModel } from '../../src/worklet/read-model.ts';

// A processor without a worklet, and a page at the other end of its port.

export class Rig {
  readonly host: Host;
  /** What the processor has said. */
  readonly said: FromProcessor[] = [];
  readonly channels: number;
  readonly knobs: Record<string, Float32Array> = {};
  readonly #port: { onmessage: ((event: { data: unknown }) => void) | null; postMessage(message: FromProcessor): void };

  constructor(model: unknown, options: Partial<StartOptions> & { rate?: number; make?: MakeEffect } = {}) {
    const { rate = 48_000, make = makeModelEffect, ...start } = options;
    this.channels = start.channels ?? 1;
    this.#port = { onmessage: null, postMessage: (message) => this.said.push(structuredClone(message)) };
    const all = { protocol: PROTOCOL, model, channels: 1, knobs: 0, fade: 0.01, bypass: false, ...start };
    for (let k = 0; k < all.knobs; k++) this.knobs[`knob${k}`] = new Float32Array(1);
    this.host = new Host(this.#port, rate, make, all);
  }

  /** Sends a message, of any form. */
  send(message: ToProcessor | unknown): FromProcessor | undefined {
    const before = this.said.length;
    this.#port.onmessage!({ data: message });
    return this.said[before];
  }

  /** Plays channels in blocks of the given sizes, in turn. */
  play(input: readonly Float32Array[], sizes: readonly number[] = [128]): Float32Array[] {
    const outputs = Array.from({ length: this.channels }, () => new Float32Array(input[0]!.length));
    for (let at = 0, k = 0; at < input[0]!.length; k++) {
      const end = Math.min(input[0]!.length, at + sizes[k % sizes.length]!);
      const cut = (all: readonly Float32Array[]) => all.map((samples) => samples.subarray(at, end));
      this.host.process(cut(input), cut(outputs), this.knobs);
      at = end;
    }
    return outputs;
  }
}

/** Plays a model as a page would send it. */
export async function rigFor(
  model: unknown,
  options: ConstructorParameters<typeof Rig>[1] & { sampleRate?: number } = {},
) {
  const { sampleRate, ...others } = options;
  const parts = await readModel('LstmNode', model, sampleRate);
  return new Rig(structuredClone(parts), { knobs: knobsOf(parts), ...others });
}
