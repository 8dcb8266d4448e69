/** Owns linear memory, or objects that do: dispose() frees it, and any later use throws. */
export abstract class Owner {
  /** The name of the object in messages. */
  protected readonly who: string;
  private _disposed = false;

  constructor(who: string) {
    this.who = who;
  }

  /** @throws Error after dispose(). @internal */
  checkAlive(): void {
    if (this._disposed) throw new Error(`${this.who}: used after dispose()`);
  }

  /** Frees the memory at once. A second call does nothing; any other use afterwards throws an Error. */
  dispose(): void {
    if (this._disposed) return;
    this._disposed = true;
    this.free();
  }

  /** Calls dispose(), for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frees everything that this owns; dispose() calls it once. */
  protected abstract free(): void;
}
