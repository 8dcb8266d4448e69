// A module's bytes as printable ASCII for a string literal, read by decode() in src/memory/compile.ts. A byte is one character
// or two, so that gzip finds again what repeats: with it a text is 2 % larger than the module's own bytes, hexadecimal 10 %,
// base64 30 %.

/** The first character that stands for a byte; those before it, from '(' on, shift the next one. */
const FIRST = '.'.charCodeAt(0);
const LAST = '~'.charCodeAt(0);
/** The character of byte 0; those before it are of the highest bytes, which SIMD instructions begin with. */
const ZERO = '2'.charCodeAt(0);
const SHIFTS = [1, 2, 3, 4, 5, 6];
const STEP = 40;

/** What ends a string, a template or a script, or needs an escape; the others lie before '('. */
const UNUSED = new Set([...'<\\`'].map((character) => character.charCodeAt(0)));

/** The 256 characters or pairs. Shifts are tried from the largest, which compresses best. */
const TEXTS = Array.from({ length: 256 }, (_, byte) => {
  const shift = [0, ...SHIFTS.toReversed()].find((each) => isUsable(characterOf(byte, each)));
  const character = String.fromCharCode(characterOf(byte, shift));
  return shift === 0 ? character : String.fromCharCode(FIRST - SHIFTS.length - 1 + shift) + character;
});

function characterOf(byte, shift) {
  return FIRST + ((byte + ZERO - FIRST - STEP * shift + 256) & 255);
}

function isUsable(code) {
  return code <= LAST && !UNUSED.has(code);
}

/** @param {Uint8Array} bytes */
export function embed(bytes) {
  return Array.from(bytes, (byte) => TEXTS[byte]).join('');
}
