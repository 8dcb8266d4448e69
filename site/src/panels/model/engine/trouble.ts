import type { Trouble } from '../types.ts';

// What was thrown, in words for a visitor of the page.

/** What the command calls its options, and what a visitor does in their place. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /: give the architecture, which model\.to_json\(\) writes, and this file as --weights/,
    ': drop it together with the architecture that model.to_json() writes',
  ],
  [/: give the file of its weights as --weights FILE\.h5/, ': drop it together with the .h5 file of its weights'],
  [/ with --key \S+/g, ''],
  [/--\w[\w-]*( [A-Z][A-Z,.a-z0-9]*)?/g, 'another file'],
];

/** A ModelError, also one of another copy of its class. */
interface Facts {
  readonly code?: unknown;
  readonly path?: unknown;
  readonly expected?: unknown;
  readonly found?: unknown;
}

/** Characters of a fact, and missing parts, that are shown. */
const [LONGEST, MOST] = [300, 100];

/** Says what went wrong, without control characters and of a length that a page can show. */
export function sentenceFor(error: unknown): string {
  const raw = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && /call stack|allocation|Invalid (typed )?array|memory/i.test(raw)) {
    return 'It asks for more memory than this tab has.';
  }
  const text = WORDS.reduce((sentence, [from, to]) => sentence.replace(from, to), raw.replace(/^(CliError: )/, ''));
  return shown(text);
}

/** Text of a file, so that it can stand on a page: no control characters, not too long. */
export function shown(text: string, most = 900): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '\ufffd');
  return plain.length > most ? `${plain.slice(0, most)}…` : plain;
}

/** Makes what the page shows of an error. @param isBad whether the file is damaged, if that is known */
export function troubleOf(error: unknown, isBad?: boolean): Trouble {
  const { code, path, expected, found } = Object(error) as Facts;
  const isModel = typeof code === 'string' && path !== undefined;
  const isMissing = isModel && code.startsWith('unsupported');
  const list = (isMissing && Array.isArray(found) ? found : []).slice(0, MOST).map((each) => shown(String(each), 80));
  const facts = isModel
    ? (
        [
          ['code', code],
          ['path', path],
          ['expected', expected],
          ['found', found],
        ] as const
      ).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, factText(value)] as const]))
    : [];
  return { message: sentenceFor(error), missing: list, facts, isBad: isBad ?? !isMissing };
}

function factText(value: unknown): string {
  const text =
    typeof value === 'string' ? value : Array.isArray(value) ? value.slice(0, 40).map(String).join(', ') : json(value);
  return shown(text, LONGEST);
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? String(value);
  } catch {
    return String(value);
  }
}
