// What lstm.wasm lends this module: asc imports what a file named env only declares.

/** x[i] = sigmoid(x[i]) */
export declare function sigmoid_f32(x: usize, n: i32): void;
/** x[i] = tanh(x[i]) */
export declare function tanh_f32(x: usize, n: i32): void;
