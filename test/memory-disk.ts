// Where tests keep their files: in memory where there is such a place, since a test writes durably some hundred times
// and none of them asks what a disk does. The torture and the benchmarks stay on the disk: they set TMPDIR.
import { readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const PLACE = '/dev/shm'
/** A container has 64 MiB there unless it is told otherwise; the whole suite needs some hundred MiB at once. */
const FREE_BYTES_MIN = 2 * 1024 ** 3

/** A directory: TMPDIR if it is set, else memory if it is large enough and may run scripts, else the system's own. */
export function directoryOfTests(): string {
  const { TMPDIR } = process.env
  if (TMPDIR !== undefined) return TMPDIR
  try {
    const { bavail, bsize } = statfsSync(PLACE)
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, place]) => place === PLACE)
    const options = mount?.[3]?.split(',') ?? []
    const isFit = mount?.[2] === 'tmpfs' && options.includes('rw') && !options.includes('noexec')
    if (isFit && bavail * bsize >= FREE_BYTES_MIN) return PLACE
  } catch {
    // There is no such place.
  }
  return tmpdir()
}
