// Wrong edits for scripts/mutate.mjs, one mistake each.

/** `from` stands exactly once in the file, and `to` must compile: the tests are to find the mistake, not the compiler. */
export const MUTATIONS = [
  {
    what: 'gates f and g swapped',
    file: 'assembly/gates.ts',
    from: 'next_c(v128.load(z), v128.load(z, 16), v128.load(z, 32),',
    to: 'next_c(v128.load(z), v128.load(z, 32), v128.load(z, 16),',
  },
  {
    what: 'tail of a row stored as four lanes',
    file: 'assembly/lanes.ts',
    from: 'if (n === 3) v128.store_lane<f32>(p, v, 2, 8);',
    to: 'if (n === 3) v128.store(p, v);',
  },
  {
    what: 'activations not clamped',
    file: 'assembly/activations.ts',
    from: 'return f32x4.pmin(f32x4.pmax(y, low), high);',
    to: 'return y;',
  },
  {
    what: 'gemv reads one float past a row',
    file: 'assembly/gemv.ts',
    from: 'if (odd) {\n      const s = v128.load32_splat(p);',
    to: 'if (odd) {\n      const s = f32x4.splat(f32x4.extract_lane(v128.load64_zero(p), 0));',
  },
  {
    what: 'gemm drops the last of an odd number of inputs',
    file: 'assembly/gemm.ts',
    from: 'if (K & 1) {',
    to: 'if (K < 0) {',
  },
  {
    what: 'gemm adds in another order than gemv',
    file: 'assembly/gemm.ts',
    from: 'a0 = f32x4.add(a0, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));',
    to: 'a0 = f32x4.add(f32x4.add(a0, f32x4.mul(ua, s)), f32x4.mul(va, t));',
  },
  {
    what: 'gemm takes a row beyond an odd number of rows',
    file: 'assembly/gemm.ts',
    from: 'for (let r = TILE_ROWS; r <= rows; r += TILE_ROWS) {',
    to: 'for (let r = 0; r < rows; r += TILE_ROWS) {',
  },
  {
    what: 'gemm begins again from the first values in each block of depth',
    file: 'assembly/gemm.ts',
    from: '      from = z;\n',
    to: '',
  },
  {
    what: '8-bit sums may overflow',
    file: 'assembly/int8.ts',
    from: 'export const INT8_DEPTH: i32 = 2048;',
    to: 'export const INT8_DEPTH: i32 = 4096;',
  },
  {
    what: 'relaxed SIMD used though it computes other integers',
    file: 'src/memory/int8.ts',
    from: 'instantiateInt8() && isExact()',
    to: 'instantiateInt8() && (isExact() || true)',
  },
  {
    what: 'a row with NaN is quantised',
    file: 'assembly/int8.ts',
    from: 'const finite = bits < INFINITY_BITS;',
    to: 'const finite = bits !== 0;',
  },
  {
    what: 'scales of 8-bit weights lost in the state dict',
    file: 'src/memory/pack.ts',
    from: 'value * scale[Math.floor(i / K)]!',
    to: 'value * scale[Math.min(0, i, K)]!',
  },
  {
    what: 'reverse direction ignores where a sequence ends',
    file: 'assembly/layer.ts',
    from: '(reverse ? run.T - 1 - s : s)',
    to: 's',
  },
  {
    what: 'recurrence reads h before its projection',
    file: 'assembly/layer.ts',
    from: 'direction.recurrent.x = h;',
    to: 'direction.recurrent.x = model.projSize ? scratch : h;',
  },
  {
    what: 'bias_hh dropped',
    file: 'src/memory/lstm-weights.ts',
    from: 'value + hh[i]!',
    to: 'value + 0 * hh[i]!',
  },
  {
    what: 'dropout after the last layer too',
    file: 'src/nn/sequence.ts',
    from: 'if (to < numLayers) dropout?.(',
    to: 'dropout?.(',
  },
  {
    what: 'batchFirst ignored in the output',
    file: 'src/nn/sequence.ts',
    from: 'this._output, width, run.rows, group, first, 1, stride);',
    to: 'this._output, width, run.rows, 1, row, 1, 1);',
  },
  {
    what: 'last states left in sorted order',
    file: 'src/nn/sequence.ts',
    from: 'this._hn, outputSize, stateRows, batch, 0, batch, 1, this._order);',
    to: 'this._hn, outputSize, stateRows, batch, 0, batch, 1, undefined);',
  },
  {
    what: 'output of a chunk over the input of the next',
    file: 'src/nn/sequence.ts',
    from: 'else if (chunkSteps < steps && overwrites',
    to: 'else if (chunkSteps < 0 && overwrites',
  },
  {
    what: 'shape of h0 not checked',
    file: 'src/nn/state.ts',
    from: 'if (!sameDims(reading.dims, dims))',
    to: "if (what !== 'h0' && !sameDims(reading.dims, dims))",
  },
  {
    what: 'unexpected keys accepted',
    file: 'src/nn/state-dict.ts',
    from: 'for (const path of unexpectedKeys)',
    to: 'for (const path of [] as string[])',
  },
  {
    what: 'streams of a model share their state',
    file: 'src/nn/stream.ts',
    from: 'this._h = block + states;',
    to: `const shared = model as RecurrentWeights & { h?: number };
    shared.h ??= block + states;
    this._h = shared.h;`,
  },
  {
    what: 'views of a stream kept after memory has grown',
    file: 'src/memory/arena.ts',
    from: 'const isCurrent = length > 0 ? kept.length === length : isInside(kept);',
    to: 'const isCurrent = kept.byteOffset > 0 || isInside(kept);',
  },
  {
    what: 'many streams: a repeated id not refused',
    file: 'src/nn/streams.ts',
    from: 'if (row < k && slotOf[row] === slot) throw',
    to: 'if (row < 0 && slotOf[row] === slot) throw',
  },
  {
    what: 'many streams: an id given out again',
    file: 'src/nn/streams.ts',
    from: 'this._slots.delete(id);',
    to: 'this._slots.delete(id);\n    this.nextId = id;',
  },
  {
    what: 'many streams: later chunks step the streams of the first',
    file: 'src/nn/streams.ts',
    from: 'this._slotOf, first, rows);',
    to: 'this._slotOf, 0, rows);',
  },
  {
    what: 'many streams: c of all layers from the first',
    file: 'assembly/rows.ts',
    from: `State.copy(rows, <usize>load<u32>(p) + offset, floats);
      rows += float_bytes(floats);
    }
    offset += float_bytes(floats);`,
    to: `State.copy(rows, <usize>load<u32>(p) + offset, floats);
      rows += float_bytes(floats);
    }`,
  },
  {
    what: 'many streams: a new stream goes on from a closed one',
    file: 'src/nn/streams.ts',
    from: 'this._clear(slot);\n    this._slots.set',
    to: 'this._slots.set',
  },
  {
    what: 'many streams: deleting an id loses others',
    file: 'src/nn/id-table.ts',
    from: 'ids[hole] = ids[entry]!;',
    to: 'if (entry >= 0) continue;\n      ids[hole] = ids[entry]!;',
  },
  {
    what: 'checksum of a saved state not checked',
    file: 'src/nn/saved-state.ts',
    from: "check('damaged', 'checksum', crc32(copy.subarray(0, -4)), words[words.length - 1]!);",
    to: '',
  },
  {
    what: 'released memory never used again',
    file: 'src/memory/arena.ts',
    from: 'free.add(start, bytes);',
    to: 'void start;',
  },
  {
    what: 'memory that users got views of becomes weights',
    file: 'src/nn/stream.ts',
    from: 'this.allocateForViews(views.bytes)',
    to: 'this.allocate(views.bytes)',
  },
  {
    what: 'a held view does not keep its stream',
    file: 'src/nn/stream.ts',
    from: 'if (view !== kept) streamOf.set(view, this);',
    to: 'if (view !== kept) streamOf.delete(view);',
  },
  {
    what: 'a block of a class that is too small is taken',
    file: 'src/memory/free-blocks.ts',
    from: 'const larger = this._nextFilled(own + 1);',
    to: 'const larger = this._nextFilled(own);',
  },
  {
    what: 'holes in a safetensors file accepted',
    file: 'src/safetensors/header.ts',
    from: 'if (begin !== reached) {',
    to: 'if (begin < reached) {',
  },
  {
    what: 'strides of a checkpoint taken for rows one after the other',
    file: 'src/pytorch/tensors.ts',
    from: 'if (run >= size) return readElements(dtype, storage, begin, begin + size);',
    to: 'if (run >= 0) return readElements(dtype, storage, begin, begin + size);',
  },
  {
    what: 'a heap of HDF5 looked up one block too early',
    file: 'src/keras/hdf5/heap.ts',
    from: 'if (this.#blocks[middle]!.start <= offset) low = middle;',
    to: 'if (this.#blocks[middle]!.start < offset - 64) low = middle;',
  },
  {
    what: 'Keras 3 given the mask of an input beside an initial state',
    file: 'src/keras/lstm-config.ts',
    from: 'masksWithState: !dialect.keras3,',
    to: 'masksWithState: true,',
  },
  {
    what: 'weights of a .keras file in the order in which layers run',
    file: 'src/keras/topology.ts',
    from: 'counts.set(className, position + 1);',
    to: 'counts.set(className, position);',
  },
  {
    what: 'a repeated key of a safetensors file not seen if it is escaped',
    file: 'src/safetensors/keys.ts',
    from: 'return this.#cursor.stringAt(a) === this.#cursor.stringAt(b);',
    to: 'return false;',
  },
  {
    what: 'Keras: an output that names no layer',
    file: 'src/keras/topology.ts',
    from: "if (!name) field.refuse('wrong-value', 'the name of a layer and numbers', 'none');",
    to: 'if (!name) return { name: field.path, index: 0 };',
  },
  {
    what: 'ort: a scalar keeps the dims it is fed with',
    file: 'src/ort/session.ts',
    from: 'all.set(name, { data: feed.data, dims: [], type: feed.type });',
    to: 'all.set(name, { data: feed.data, dims: feed.dims, type: feed.type });',
  },
  {
    what: 'ort: tensors are written into before all are checked',
    file: 'src/ort/session.ts',
    from: 'if (tensor) checkFetch(name, tensor, results[name]!);',
    to: 'if (tensor) checkFetch(name, toTensor(results[name]!, tensor), results[name]!);',
  },
  {
    what: 'ort: the byte offset of a model is ignored',
    file: 'src/ort/session.ts',
    from: 'new Uint8Array(buffer, offset, ',
    to: 'new Uint8Array(buffer, offset * 0, ',
  },
  {
    what: 'ort: typed arrays are copied',
    file: 'src/ort/tensor.ts',
    from: 'return data as unknown as Tensor.DataType;',
    to: 'return (data as unknown as Float32Array).slice();',
  },
  {
    what: 'a depthwise convolution ignores its stride',
    file: 'src/onnx/products.ts',
    from: 'for (let k = 0, i = p * stride - before; k < kernel; k++, i += dilation) {\n          sum +=',
    to: 'for (let k = 0, i = p - before; k < kernel; k++, i += dilation) {\n          sum +=',
  },
  {
    what: 'an initializer of a branch may not hide one outside',
    file: 'src/onnx/graph.ts',
    from: 'hides ? this._entries.has(name) : this.find(name)',
    to: 'this.find(name) || (hides && this._entries.has(name))',
  },
  {
    what: 'a padding begins with what was cut off',
    file: 'src/onnx/pad.ts',
    from: '(o * size + cut + from) * inner',
    to: '(o * size + from) * inner',
  },
  {
    what: 'float16 has a bit more',
    file: 'src/onnx/cast.ts',
    from: '[FLOAT16, [11,',
    to: '[FLOAT16, [12,',
  },
  {
    what: 'an infinity passes a Clip without a bound',
    file: 'src/onnx/elementwise.ts',
    from: 'const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;',
    to: 'const MAX_FLOAT = Infinity;',
  },
];
