import type { Command, Option } from 'commander';

// Scripts that complete commands, options and files in a shell. They are written once and start no process, so that no text of the
// line is ever evaluated.

const NAME = 'lstm-wasm';
const FUNCTION = '_lstm_wasm';

/** Writes the script of a shell for a program. */
export function completion(program: Command, shell: string): void {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    about: command.description(),
    options: command.options.filter(({ hidden }) => !hidden),
    values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }));
  const write = { bash, zsh, fish }[shell]!;
  process.stdout.write(write(commands));
}

interface Described {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Option[];
  readonly values: readonly string[];
}

function bash(commands: readonly Described[]): string {
  const choices = new Map(
    commands.flatMap(({ options }) => options.flatMap((one) => (one.argChoices ? [[one.long!, one.argChoices]] : []))),
  );
  return `# lstm-wasm completion bash > ~/.local/share/bash-completion/completions/lstm-wasm
${FUNCTION}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words=
  if (( COMP_CWORD == 1 )); then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
  else
    case \${COMP_WORDS[COMP_CWORD-1]} in
${[...choices].map(([long, values]) => `      ${long}) words='${values.join(' ')}' ;;\n`).join('')}      *)
        case "\${COMP_WORDS[1]} $cur" in
${commands
  .map(({ name, options, values }) => {
    const longs = `          '${name} '-*) words='${[...options.map(({ long }) => long), '--help'].join(' ')}' ;;\n`;
    return longs + (values.length > 0 ? `          '${name} '*) words='${values.join(' ')}' ;;\n` : '');
  })
  .join('')}        esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F ${FUNCTION} ${NAME}
`;
}

/** A text between single quotes, in which brackets and colons stand for themselves. */
function quoted(text: string, specials: RegExp): string {
  return text.replace(specials, '\\$&').replaceAll("'", "'\\''");
}

function zsh(commands: readonly Described[]): string {
  const option = ({ long, description, argChoices, required, mandatory, parseArg }: Option) => {
    const about = quoted(description, /[[\]:\\]/g);
    const repeats = mandatory || (required && parseArg) ? '*' : '';
    const value = required ? `:value:${argChoices ? `(${argChoices.join(' ')})` : '_files'}` : '';
    return `        '${repeats}${long}[${about}]${value}' \\\n`;
  };
  return `#compdef ${NAME}
# lstm-wasm completion zsh > a folder of $fpath, as _lstm-wasm
${FUNCTION}() {
  local -a commands=(
${commands.map(({ name, about }) => `    '${name}:${quoted(about, /:/g)}'\n`).join('')}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${commands
  .map(({ name, options, values }) => {
    const rest = values.length > 0 ? `(${values.join(' ')})` : '_files';
    return `    ${name})\n      _arguments \\\n${options.map((one) => option(one)).join('')}        '*:file:${rest}' ;;\n`;
  })
  .join('')}  esac
}
# sourced, or loaded at the first completion
if [[ $funcstack[1] == ${FUNCTION} ]]; then ${FUNCTION} "$@"; else compdef ${FUNCTION} ${NAME}; fi
`;
}

function fish(commands: readonly Described[]): string {
  const about = (text: string) => `-d '${text.replace(/['\\]/g, '\\$&')}'`;
  const lines = commands.flatMap(({ name, about: description, options, values }) => {
    const seen = `complete -c ${NAME} -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c ${NAME} -n __fish_use_subcommand -f -a ${name} ${about(description)}`,
      ...options.map(({ long, short, argChoices, required, description: text }) => {
        const letter = short ? ` -s ${short.slice(1)}` : '';
        const value = argChoices ? ` -x -a '${argChoices.join(' ')}'` : required ? ' -r' : '';
        return `${seen} -l ${long!.slice(2)}${letter}${value} ${about(text)}`;
      }),
      ...(values.length > 0 ? [`${seen} -f -a '${values.join(' ')}'`] : []),
    ];
  });
  return `# lstm-wasm completion fish > ~/.config/fish/completions/lstm-wasm.fish\n${lines.join('\n')}\n`;
}
