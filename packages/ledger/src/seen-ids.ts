// Remembers which ids were seen, in 8 bytes each, so that a log of any length is checked for what was used
// twice. An id that was seen is always known again; one in many billions is taken for another that was.

const FIRST_SLOTS = 1 << 12

export class SeenIds {
  #slots = new Uint32Array(2 * FIRST_SLOTS)
  #count = 0

  /** False where the id was seen before. */
  add(id: string): boolean {
    // FNV-1a twice, from two beginnings. Source: https://datatracker.ietf.org/doc/draft-eastlake-fnv/
    let [left, right] = [0x811c9dc5, 0x2f0b4c47]
    for (let index = 0; index < id.length; index++) {
      const code = id.charCodeAt(index)
      left = Math.imul(left ^ code, 0x01000193)
      right = Math.imul(right ^ (code + 0x5bd1), 0x01000193) ^ (left >>> 15)
    }
    if (!this.#insert(left >>> 0, right >>> 0 || 1)) return false
    this.#count += 1
    if (this.#count * 4 > this.#slots.length) this.#grow() // at most half full
    return true
  }

  #insert(left: number, right: number): boolean {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    for (let slot = (left ^ (right >>> 7)) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[2 * slot + 1]
      if (found === 0) {
        slots[2 * slot] = left
        slots[2 * slot + 1] = right
        return true
      }
      if (found === right && slots[2 * slot] === left) return false
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(2 * old.length)
    for (let at = 0; at < old.length; at += 2) {
      const [left = 0, right = 0] = [old[at], old[at + 1]]
      if (right !== 0) this.#insert(left, right)
    }
  }
}
