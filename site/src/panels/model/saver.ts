import { duration, size } from '../../kit/format.ts';
import type { Calls } from '../../kit/worker.ts';
import type { Saving } from './types.ts';
import type { ModelWorker } from './worker.ts';

/** The table of what can be saved, with what each form weighs and costs. */
export class Saver {
  #name = '';
  #turn = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly calls: () => Calls<ModelWorker>,
    private readonly lstm: () => string | undefined,
  ) {
    for (const row of root.querySelectorAll<HTMLElement>('[data-kind]')) {
      row.querySelector('button')!.addEventListener('click', () => void this.#save(row.dataset.kind as Saving['kind']));
    }
  }

  /** Forgets the model before. */
  clear(name: string): void {
    this.#name = name;
    this.stop();
    this.#say('');
    for (const { button, cells } of this.#rows()) {
      button.disabled = true;
      for (const cell of cells) cell.textContent = '–';
    }
  }

  /** Drops what is being measured. */
  stop(): void {
    this.#turn++;
  }

  #rows(): { kind: string; button: HTMLButtonElement; cells: HTMLElement[] }[] {
    return [...this.root.querySelectorAll<HTMLElement>('[data-kind]')].map((row) => ({
      kind: row.dataset.kind!,
      button: row.querySelector('button')!,
      cells: [...row.querySelectorAll<HTMLElement>('td')].slice(1, 3),
    }));
  }

  #say(text: string): void {
    this.root.querySelector('.error-of')!.textContent = text;
  }

  /** Measures size, time and the error of 8 bits on the input of the last run. */
  async measure(): Promise<void> {
    const turn = ++this.#turn;
    const savings = await this.calls().call('savings', [this.lstm()]);
    if (turn !== this.#turn) return;
    if (!savings)
      return this.#say('It has no LSTM whose weights are those of an nn.LSTM, so there is nothing to save.');
    for (const { kind, button, cells } of this.#rows()) {
      const row = savings.rows.find((each) => each.kind === kind);
      button.disabled = !row;
      cells[0]!.textContent = row ? size(row.bytes) : '–';
      cells[1]!.textContent = row ? duration(row.step) : '–';
    }
    this.#say(
      `Saved is ${savings.what}. A step is one of ${savings.timed}, ${savings.timedSteps} in a call. ${savings.error}`,
    );
  }

  async #save(kind: Saving['kind']): Promise<void> {
    try {
      const bytes = await this.calls().call('save', [kind, this.lstm()]);
      const url = URL.createObjectURL(
        new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }),
      );
      const stem = this.#name.replace(/\.[^.]*$/, '').replace(/[^\w.-]+/g, '_') || 'model';
      const link = Object.assign(document.createElement('a'), { href: url, download: `${stem}.${kind}.safetensors` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      this.#say((error as Error).message);
    }
  }
}
