// What is said of many measured times: percentiles and medians. Nothing here measures.

/** The value below which this part of the sorted values lies (nearest rank). */
export function percentile(sorted: ArrayLike<number>, part: number): number {
  const index = Math.max(0, Math.ceil(sorted.length * part) - 1)
  return sorted[Math.min(index, sorted.length - 1)] ?? Number.NaN
}

/** The middle value: of rounds, so that one noisy round does not speak for all. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** Least and greatest of the rounds: how far the machine let them apart. */
export function range(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)]
}
