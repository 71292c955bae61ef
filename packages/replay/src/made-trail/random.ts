// Chance that comes again: the same seed makes the same trail on every machine.

/** Source: splitmix32, after Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number of 32 bits. */
  word(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let value = this.#state
    value = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97)
    return (value ^ (value >>> 15)) >>> 0
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    return Math.floor((this.word() / 2 ** 32) * end)
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.word().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }

  uuid(): string {
    const hex = this.hex(32)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  /** Capital letters and digits, as in access keys. */
  letters(count: number): string {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
    let text = ''
    for (let index = 0; index < count; index++) text += letters[this.below(32)]
    return text
  }
}
