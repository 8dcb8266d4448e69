// typedoc's colours, each one of the page's (site/build/tokens.mjs), in light and dark.
import { THEMES } from '../../site/build/tokens.mjs';

/** Names of the page's colours, and what typedoc's style sheet calls --light-color-NAME and --dark-color-NAME. */
const COLOURS = {
  paper: ['background'],
  sheet: ['background-secondary'],
  penwash: ['background-active'],
  rule: ['accent'],
  ink: ['text', 'contrast-text', 'document'],
  ink2: ['text-aside', 'ts-keyword'],
  pen: ['link', 'focus-outline', 'ts-project', 'ts-function', 'ts-method', 'ts-reference'],
  teal: ['ts-variable', 'ts-interface', 'ts-type-alias'],
  plum: ['ts-class'],
  rust: ['ts-property', 'ts-type-parameter', 'ts-accessor'],
};

/** A rule that sets all of them. */
export function colourRule() {
  const lines = Object.entries(THEMES).flatMap(([theme, colours]) =>
    Object.entries(COLOURS).flatMap(([colour, names]) =>
      names.map((name) => `  --${theme}-color-${name}: ${colours[colour]};`),
    ),
  );
  return `:root {\n${lines.join('\n')}\n}\n`;
}
