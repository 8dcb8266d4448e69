declare module 'asciichart' {
  /** Draws one line, or several. @param options `height` in rows; `format` writes the numbers beside; `colors` are escape codes */
  export function plot(
    series: readonly number[] | readonly (readonly number[])[],
    options?: { height?: number; format?: (value: number, index: number) => string; colors?: readonly string[] },
  ): string;
}
