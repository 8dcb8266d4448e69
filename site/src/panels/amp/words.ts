import { sentBytes } from '../../kit/bytes.ts';
import { count, duration, signed, size } from '../../kit/format.ts';
import type { Receipt } from '../../kit/receipt.ts';
import type { Meter } from './levels.ts';
import type { AmpFile } from './model-file.ts';
import { processor } from './processor.ts';
import type { Rendered } from './render.ts';

/** Samples of a block of a worklet. */
const BLOCK = 128;

/** The panel's receipt. */
export class Words {
  #code = 0;

  constructor(private readonly receipt: Receipt) {}

  /** @param rendered the riff played at once, whose time stands for a load too small for the audio thread's clock */
  async sayLoad(amp: AmpFile, meter: Meter, rate: number, rendered: Rendered): Promise<void> {
    const { blocks, late } = meter;
    const block = BLOCK / rate;
    const isSure = meter.isSure(block);
    const seconds = isSure ? meter.load * block : rendered.seconds / rendered.blocks;
    const microseconds = `${count(Math.round(1e6 * block))} µs`;
    const missed = `${late ? count(late) : 'No'} dropout${late === 1 ? '' : 's'}`;
    this.receipt.say(
      [
        { b: `${duration(seconds)} of each ${microseconds} block` },
        isSure
          ? `: ${percent(meter.load)} of one core, here, now.`
          : ', when played at once: the worklet’s clock sees less than it can tell.',
      ],
      [await this.#weights(amp), ` ${missed} in ${count(blocks)} blocks.`],
    );
  }

  async sayRendered(amp: AmpFile, sound: number, { seconds, blocks }: Rendered): Promise<void> {
    this.receipt.say(
      [
        { b: `${sound.toFixed(1)} s of guitar played in ${duration(seconds)}` },
        `, here, just now: ${duration(seconds / blocks)} a block.`,
      ],
      [await this.#weights(amp), ' Nothing uploaded.'],
    );
  }

  async #weights(amp: AmpFile): Promise<string> {
    const { sent } = await processor();
    this.#code ||= sentBytes((url) => /\/lstm-wasm\.(?!segmenter)[\w.-]+\.js$/.test(url));
    return `${this.#code ? size(this.#code + sent) : '– KB'} of code, ${size(amp.bytes)} of amp.`;
  }
}

/** A part of a core: "0.3 %". */
export function percent(part: number): string {
  return `${signed(100 * part, part < 0.1 ? 1 : 0)} %`;
}
