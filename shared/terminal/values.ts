// Parses values that people type: options on a command line and settings in the environment.

import { UsageError } from "./program.ts";

/** A value that a program accepts. The type of `default` is the type of the value. */
export interface ValueSpec {
  readonly default: number | string | boolean | readonly string[];
  readonly help: string;
  /** For numbers: the smallest and the largest value allowed; 0 and 2^31 - 1 by default. */
  readonly min?: number;
  readonly max?: number;
}

/** The type of a value with this spec. */
export type ValueOf<Spec extends ValueSpec> = Spec["default"] extends number
  ? number
  : Spec["default"] extends string
    ? string
    : Spec["default"] extends boolean
      ? boolean
      : readonly string[];

/**
 * Parses a whole number.
 * @param name the value's name for the error message, such as `--count` or `PORT`.
 * @throws {UsageError} if the text is anything else, or the number is not from `min` to `max`.
 */
export function parseInteger(
  name: string,
  text: string,
  { min = 0, max = 2 ** 31 - 1 }: { min?: number; max?: number } = {},
): number {
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(
    `${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`,
  );
}

/**
 * Parses NAME=NUMBER, such as `rye=2`.
 * @throws {UsageError} if the text is anything else.
 */
export function parseAmount(text: string): { name: string; amount: number } {
  const [name = "", amount, ...rest] = text.split("=");
  if (name === "" || amount === undefined || rest.length > 0) {
    throw new UsageError(`expected NAME=NUMBER, such as rye=2, not ${JSON.stringify(text)}`);
  }
  return { name, amount: parseInteger(name, amount) };
}

/** Returns what is wrong with a place in degrees, or undefined if it is valid. */
export function placeProblem(place: string): string | undefined {
  if (/^-?\d+(\.\d+)?,-?\d+(\.\d+)?$/.test(place)) return undefined;
  return `must be LATITUDE,LONGITUDE, such as 48.8566,2.3522, not ${JSON.stringify(place)}`;
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Parses a duration such as `90s`, `15m`, `1h` or `30d`.
 * @param name the value's name for the error message.
 * @returns the duration in seconds.
 * @throws {UsageError} if the text is anything else.
 */
export function parseDuration(name: string, text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * (secondsIn[unit] ?? Number.NaN);
  if (seconds > 0) return seconds;
  throw new UsageError(
    `${name} must be a time such as 90s, 15m or 1h, not ${JSON.stringify(text)}`,
  );
}

/**
 * Returns a check for options and settings that accept only these words: it returns what is wrong
 * with a text, or undefined if it is one of them.
 */
export function oneOf(...words: readonly string[]): (text: string) => string | undefined {
  return (text) => (words.includes(text) ? undefined : `must be ${words.join(" or ")}`);
}
