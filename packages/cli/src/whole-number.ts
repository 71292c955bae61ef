// Reads a count that somebody typed: whole, within its limits, or refused as a mistake of usage.
import { InvalidArgumentError } from 'commander'

/** A parser of an option's text; what is no whole number from `min` to `max` ends the command with exit code 2. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`write a whole number from ${min} to ${max}`)
  }
}
