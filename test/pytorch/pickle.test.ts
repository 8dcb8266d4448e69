import { describe, expect, test } from 'vitest';
import {
  bytes,
  type Code,
  checkpoint,
  dict,
  global,
  int,
  ORDERED_DICT,
  tensor,
  text,
  tuple,
} from '../support/checkpoint-files.ts';
import { codeOf, refusal } from '../support/checkpoint-refusals.ts';

describe('the pickle', () => {
  const refused = (code: string, data: Uint8Array) => {
    const error = refusal(checkpoint(data));
    expect(error.code).toBe(code);
    return error;
  };

  test.each<[code: string, what: string, Code[]]>([
    ['truncated', 'nothing', []],
    ['truncated', 'no STOP', ['\x80', 2, '}']],
    ['invalid-pickle', 'STOP alone', ['.']],
    ['invalid-pickle', 'two values', ['}}.']],
    ['invalid-pickle', 'a mark left', ['(}.']],
    ['invalid-pickle', 'bytes after STOP', ['}.N']],
    ['invalid-pickle', 'POP of nothing', ['0}.']],
    ['invalid-pickle', 'a tuple without a mark', ['t.']],
    ['invalid-pickle', 'TUPLE3 across a mark', ['NN(N\x87.']],
    ['invalid-pickle', 'SETITEM on a list', [']NNs.']],
    ['invalid-pickle', 'SETITEMS with a key alone', ['}(Nu.']],
    ['invalid-pickle', 'APPEND to a dict', ['}Na.']],
    ['invalid-pickle', 'BINGET of what was never put', ['h', 5, '.']],
    ['invalid-pickle', 'a persistent id that is no tuple', ['NQ.']],
    [
      'invalid-pickle',
      'a persistent id of four',
      [tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu')), 'Q.'],
    ],
    [
      'invalid-pickle',
      'a module as a storage',
      [tuple(text('module'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(4)), 'Q.'],
    ],
    [
      'invalid-pickle',
      'a dict as the type of a storage',
      [tuple(text('storage'), global('collections', 'OrderedDict'), text('0'), text('cpu'), int(4)), 'Q.'],
    ],
    ['invalid-pickle', 'a number as the name of a global', [int(1), text('x'), '\x93.']],
    ['invalid-pickle', 'an integer of letters', ['Iabc\n.']],
    ['invalid-utf8', 'a string that is not UTF-8', ['X', 1, 0, 0, 0, 0xff, '.']],
    ['invalid-utf8', 'a lone surrogate', ['X', 3, 0, 0, 0, 0xed, 0xa0, 0x80, '.']],
    ['truncated', 'a string of 4 GiB', ['X', 255, 255, 255, 255, '.']],
    ['truncated', 'a string of 2^64 bytes', ['\x8d', Array(8).fill(255), '.']],
    ['truncated', 'bytes of 2^63', ['\x8e', Array(7).fill(0), 128, '.']],
    ['truncated', 'a LONG4 of 2 GiB', ['\x8b', 255, 255, 255, 127, '.']],
    ['truncated', 'a frame of 2^64', ['\x80', 4, '\x95', Array(8).fill(255), '}.']],
    ['truncated', 'a line without an end', ['cposix']],
    ['unsupported-protocol', 'protocol 6', ['\x80', 6, '}.']],
    ['too-deep', 'marks in marks', ['('.repeat(100_000)]],
    ['duplicate-key', 'a key twice', [dict([text('w'), tensor()], [text('w'), tensor()]), '.']],
    ['unsupported-call', 'OrderedDict of something', [global('collections', 'OrderedDict'), tuple(int(1)), 'R.']],
    ['unsupported-call', 'a call of a string', [text('os.system'), ')R.']],
    ['unsupported-call', 'a call of a type', [global('torch', 'FloatStorage'), ')R.']],
    ['unsupported-call', 'a call of a tensor', [tensor(), ')R.']],
    ['unsupported-call', 'a call with a list', [global('collections', 'OrderedDict'), ']R.']],
    ['unsupported-call', 'BUILD of a tensor', [tensor(), '}b.']],
    ['unsupported-call', 'BUILD with a tuple', ['}', tuple(), 'b.']],
    [
      'unsupported-call',
      'a tensor of five arguments',
      [global('torch._utils', '_rebuild_tensor_v2'), tuple(...Array(5).fill('N')), 'R.'],
    ],
    [
      'unsupported-call',
      'a negative bit',
      [dict([text('w'), tensor({ rest: ['\x89', ORDERED_DICT, dict([text('neg'), '\x88'])] })]), '.'],
    ],
    [
      'unsupported-call',
      'a parameter that is no tensor',
      [global('torch._utils', '_rebuild_parameter'), tuple('N', '\x88', ORDERED_DICT), 'R.'],
    ],
  ])('%s: %s', (code, _, data) => {
    const error = refused(code, bytes(...data));
    expect(error.message).not.toContain('\u0000');
  });

  test.each([
    ['posix', 'system'],
    ['os', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['torch', 'load'],
    ['torch._utils', '_rebuild_tensor_v2 '],
    ['torch._utils._rebuild_tensor', 'v2'],
    ['__proto__', '__proto__'],
    ['', 'constructor'],
    ['collections', 'OrderedDict.__class__'],
  ])('the global %s %s, by GLOBAL and by STACK_GLOBAL', (module, name) => {
    for (const code of [global(module, name), [text(module), text(name), '\x93']]) {
      const error = refused('unsupported-global', bytes(code, tuple(text('touch pickle-was-executed')), 'R.'));
      expect(error.path).toBe(`${module}.${name}`);
      expect(error.message).toContain('torch.save(model.state_dict(), path)');
    }
  });

  test.each([
    ['torch._utils', '_rebuild_qtensor', 'tensor.dequantize()'],
    ['torch', 'QInt8Storage', 'tensor.dequantize()'],
    ['torch._utils', '_rebuild_sparse_tensor', 'tensor.to_dense()'],
    ['torch', 'ComplexFloatStorage', 'torch.view_as_real(tensor)'],
    ['torch._utils', '_rebuild_tensor_v3', 'tensor.float()'],
    ['torch._utils', '_rebuild_meta_tensor_no_storage', 'device meta'],
    ['torch._tensor', '_rebuild_from_type_v2', 'tensor.as_subclass(torch.Tensor)'],
  ])('%s.%s, with what to save instead', (module, name, advice) => {
    const error = refused('unsupported-global', bytes(global(module, name), ')R.'));
    expect(error.path).toBe(`${module}.${name}`);
    expect(error.message).toContain(advice);
  });

  test.each([
    ['i', 'INST'],
    ['o', 'OBJ'],
    ['\x82', 'EXT1'],
    ['\x83', 'EXT2'],
    ['\x84', 'EXT4'],
    ['P', 'PERSID'],
    ['\x97', 'NEXT_BUFFER'],
    ['\xff', '0xff'],
  ])('the opcode %j: %s', (code, name) => {
    expect(refused('unsupported-opcode', bytes('((', text('os'), code)).message).toContain(`the opcode ${name},`);
  });

  test('a dict that contains itself, and tuples in tuples without a mark', () => {
    expect(codeOf(checkpoint(bytes('}q', 0, text('w'), 'h', 0, 's.')))).toBe('not-a-state-dict');
    expect(codeOf(checkpoint(bytes(')', '\x85'.repeat(20_000), '.')))).toBe('not-a-state-dict');
  });
});
