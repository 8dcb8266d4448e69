import { type Refuse, refuseAs } from '../base/errors.ts';

/** Bytes that reading any file may take on top of three times its size. */
const FREE_BYTES = 4 << 20;

/**
 * Limits the memory that reading a file takes, so that a small file cannot ask for much: three times its size and 4 MiB.
 * Everything that grows with what the file says is counted here before it is made.
 */
export class Budget {
  readonly #refuse: Refuse;
  readonly #limit: number;
  #used = 0;

  readonly #free: number;

  /**
   * @param who the reader, as messages name it
   * @param free bytes on top of three times the file
   */
  constructor(who: string, fileBytes: number, free = FREE_BYTES) {
    this.#refuse = refuseAs(who);
    this.#free = free;
    this.#limit = 3 * fileBytes + free;
  }

  /**
   * Counts bytes that are about to be taken.
   * @throws ModelError that names `path` if there are not that many left
   */
  spend(bytes: number, path: string): void {
    this.#used += bytes;
    if (!(this.#used <= this.#limit)) {
      const reason = `${path}: reading needs more than 3 times the size of the file and ${this.#free} bytes`;
      this.#refuse.because('too-large', path, reason, this.#limit, this.#used);
    }
  }

  /** Returns bytes that were spent on something that is gone again. */
  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}
