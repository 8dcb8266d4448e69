// Kernels that this module imports from lstm.wasm: asc turns declarations in a file named env into imports.

/** x[i] = sigmoid(x[i]) */
export declare function sigmoid_f32(x: usize, n: i32): void;
/** x[i] = tanh(x[i]) */
export declare function tanh_f32(x: usize, n: i32): void;
/** x[i] = max(x[i], 0) */
export declare function relu_f32(x: usize, n: i32): void;
/** In place over the middle axis of x [outer][n][inner]: e^(x - max) / sum of e^(x - max) */
export declare function softmax_f32(x: usize, outer: i32, n: i32, inner: i32): void;
