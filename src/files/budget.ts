import { ModelError } from '../base/errors.ts';

/** What reading may take besides, whatever the size of the file. */
const FREE_BYTES = 4 << 20;

/**
 * What reading a file may take, so that a small file cannot ask for much: three times its size and 4 MiB. Everything that
 * grows with what the file says is counted here before it is made.
 */
export class Budget {
  readonly #who: string;
  readonly #limit: number;
  #used = 0;

  constructor(who: string, fileBytes: number) {
    this.#who = who;
    this.#limit = 3 * fileBytes + FREE_BYTES;
  }

  /** @throws ModelError that names `path` if there is not that much left */
  spend(bytes: number, path: string): void {
    this.#used += bytes;
    if (!(this.#used <= this.#limit)) {
      const message = `${this.#who}: ${path}: reading needs more than 3 times the size of the file and ${FREE_BYTES} bytes`;
      throw new ModelError(message, { code: 'too-large', path, expected: this.#limit, found: this.#used });
    }
  }

  /** What was spent on something that is gone again. */
  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}
