// The clock of what only computes: CPU time of this process, all its threads together. On a machine
// that others use too, it says what one core would do; garbage collection counts in full.

/** Seconds of CPU since `startCpu`'s answer. */
export type CpuClock = () => number

export function startCpu(): CpuClock {
  const begun = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / 1e6
  }
}
