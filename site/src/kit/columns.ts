/** A spectrogram's window, and the distance between two columns, in samples. */
export const [WINDOW, HOP] = [512, 256];
/** Values of a column: from 0 up to half the rate. */
export const LINES = WINDOW / 2;
/** Samples before the left edge of the first column: a column's middle is the middle of its window. */
export const START = (WINDOW - HOP) / 2;
