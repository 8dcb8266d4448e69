/** Converts as keras.src.utils.naming.to_snake_case does: LSTM to lstm, MaxPooling1D to max_pooling1d. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
