// Reads the configuration of a running gate again when it is asked to, one time after the other, and says what came
// of it in the log and the metrics. A file that cannot be taken changes nothing.
import type { Config } from './config.ts'
import { type Reloaded, readAgain } from './reload.ts'
import type { Reloadable } from './reloadable.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import type { Wall } from './wall/wall.ts'

export interface ReloadingParts {
  readonly config: Config
  readonly telemetry: Telemetry
  readonly wall: Wall
  readonly reloadable: Reloadable
}

/**
 * Returns what reads it again. Errors of that: `invalid_config`, `reload_refused`; `wall_open` where another user
 * could read a file that it names.
 */
export function reloading(parts: ReloadingParts): () => Promise<Reloaded> {
  const { telemetry, wall, reloadable } = parts
  const { metrics, log } = telemetry
  let running = parts.config
  let last: Promise<unknown> = Promise.resolve()
  const once = async (): Promise<Reloaded> => {
    try {
      const { next, changed } = readAgain(running)
      wall.moveTo(next)
      await reloadable.take(next, changed)
      running = next
      Object.assign(metrics.configuration, { isTaken: true, takenAtMs: Date.now() })
      metrics.reloads.add(['taken'])
      log.write('config_reloaded', { changed })
      return { changed }
    } catch (cause) {
      metrics.configuration.isTaken = false
      metrics.reloads.add(['refused'])
      log.write('config_not_reloaded', { error: cause })
      throw cause
    }
  }
  return () => {
    const done = last.then(once, once)
    last = done
    return done
  }
}
