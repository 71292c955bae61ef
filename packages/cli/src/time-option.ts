// A time as people write it on a command line.
import { InvalidArgumentError } from 'commander'

const SECONDS = { m: 60, h: 3_600, d: 86_400, w: 604_800 } as const

/** ISO time of `2025-12-01`, `2025-12-01T12:00:00Z`, `90d`, `24h` or `15m`. Errors: InvalidArgumentError. */
export function timeOption(text: string): string {
  const ago = /^(\d{1,5})([mhdw])$/.exec(text)
  if (ago !== null) {
    const seconds = Number(ago[1]) * SECONDS[ago[2] as keyof typeof SECONDS]
    return new Date(Date.now() - seconds * 1_000).toISOString()
  }
  const parsed = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(parsed)) {
    throw new InvalidArgumentError('write 2025-12-14, 2025-12-14T09:30:00Z, 24h or 7d')
  }
  return new Date(parsed).toISOString()
}
