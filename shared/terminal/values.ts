// Values that people type: options on a command line, settings in the environment.

import { UsageError } from "./program.ts";

/** A value that a program takes. The type of `default` is the type of the value. */
export interface ValueSpec {
  readonly default: number | string | boolean | readonly string[];
  readonly help: string;
  /** For numbers: the least and the greatest allowed, 0 and 2^31 - 1 unless given. */
  readonly min?: number;
  readonly max?: number;
}

/** The type that a value of this spec has. */
export type ValueOf<Spec extends ValueSpec> = Spec["default"] extends number
  ? number
  : Spec["default"] extends string
    ? string
    : Spec["default"] extends boolean
      ? boolean
      : readonly string[];

/**
 * Reads a whole number.
 * @param name what to call the value in the error, such as `--count` or `PORT`.
 * @throws {UsageError} for anything else, and outside `min` to `max`.
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
 * Reads NAME=NUMBER, such as `rye=2`.
 * @throws {UsageError} for anything else.
 */
export function parseAmount(text: string): { name: string; amount: number } {
  const [name = "", amount, ...rest] = text.split("=");
  if (name === "" || amount === undefined || rest.length > 0) {
    throw new UsageError(`expected NAME=NUMBER, such as rye=2, not ${JSON.stringify(text)}`);
  }
  return { name, amount: parseInteger(name, amount) };
}

/** What is wrong with a place as a person typed it, in degrees; undefined if nothing is. */
export function placeProblem(place: string): string | undefined {
  if (/^-?\d+(\.\d+)?,-?\d+(\.\d+)?$/.test(place)) return undefined;
  return `must be LATITUDE,LONGITUDE, such as 48.8566,2.3522, not ${JSON.stringify(place)}`;
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads a time such as `90s`, `15m`, `1h` or `30d`.
 * @returns seconds
 * @throws {UsageError} for anything else.
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
 * The problem of a text that is none of these words; for options and settings with a few values.
 */
export function oneOf(...words: readonly string[]): (text: string) => string | undefined {
  return (text) => (words.includes(text) ? undefined : `must be ${words.join(" or ")}`);
}
