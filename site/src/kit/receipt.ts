/** Readers of screens hear a receipt at most this often, in milliseconds. */
const PAUSE = 2000;

/**
 * The line that says what ran here just now, what it weighs and where it stayed. Parts in <b> are given as `{ b: text }`.
 */
export class Receipt {
  #last = 0;
  #timer = 0;

  constructor(private readonly element: HTMLElement) {
    element.setAttribute('aria-live', 'polite');
  }

  /** Says lines; a later call within two seconds takes the place of one that is not said yet. */
  say(...lines: readonly (readonly (string | { readonly b: string })[])[]): void {
    clearTimeout(this.#timer);
    const write = () => {
      this.#last = performance.now();
      this.element.setAttribute('aria-live', 'polite');
      this.element.classList.remove('error');
      this.element.replaceChildren(
        ...lines.flatMap((line, n) => [...(n ? [document.createElement('br')] : []), ...line.map(part)]),
      );
    };
    const wait = PAUSE - (performance.now() - this.#last);
    if (wait <= 0 || !this.#last) write();
    else this.#timer = window.setTimeout(write, Math.min(wait, PAUSE));
  }

  /** Shows at once how far something is. Readers of screens are not told each figure. */
  count(text: string): void {
    clearTimeout(this.#timer);
    this.element.setAttribute('aria-live', 'off');
    this.element.classList.remove('error');
    this.element.textContent = text;
  }

  /** Says at once what went wrong, and what to do. */
  fail(sentence: string): void {
    clearTimeout(this.#timer);
    this.#last = 0;
    this.element.setAttribute('aria-live', 'polite');
    this.element.classList.add('error');
    this.element.textContent = sentence;
  }
}

function part(text: string | { readonly b: string }): Node {
  if (typeof text === 'string') return document.createTextNode(text);
  return Object.assign(document.createElement('b'), { textContent: text.b });
}
