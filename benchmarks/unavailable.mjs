/** Thrown by a contestant that cannot take part: the report says so and why. */
export class Unavailable extends Error {}
