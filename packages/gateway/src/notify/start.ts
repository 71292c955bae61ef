// Makes the Notifier of a gate from its configuration, or nothing where that names nobody to tell.
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import type { Absences } from './away.ts'
import { Notifier, type NotifierOptions, type NotifyStanding } from './notifier.ts'

export interface RunningNotifier {
  /** Returns what stops it. */
  start(): () => Promise<void>
  standing(): NotifyStanding | null
  absences(): Absences | undefined
}

export function notifierOf(
  { notify, statePath }: Config,
  parts: Omit<NotifierOptions, 'config' | 'outboxPath' | 'log'>,
): RunningNotifier {
  if (notify === undefined) {
    const start = () => async () => undefined
    return { start, standing: () => null, absences: () => undefined }
  }
  const notifier = new Notifier({
    ...parts,
    config: notify,
    outboxPath: join(dirname(statePath), 'notify.db'),
    log: (line) => process.stderr.write(`seconder: ${line}\n`),
  })
  return {
    start() {
      notifier.start()
      return () => notifier.close()
    },
    standing: () => notifier.standing(),
    absences: () => notifier.absences(),
  }
}
