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
  parts: Omit<NotifierOptions, 'config' | 'outboxPath'>,
): RunningNotifier {
  if (notify === undefined) {
    const start = () => async () => undefined
    return { start, standing: () => null, absences: () => undefined }
  }
  const notifier = new Notifier({
    ...parts,
    config: notify,
    outboxPath: join(dirname(statePath), 'notify.db'),
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

/** The Notifier of the configuration in force, which a reload replaces by another while the gate runs. */
export class NotifierInForce implements RunningNotifier {
  #now: RunningNotifier
  #stop: (() => Promise<void>) | null = null

  constructor(first: RunningNotifier) {
    this.#now = first
  }

  start(): () => Promise<void> {
    this.#stop = this.#now.start()
    return async () => {
      const stop = this.#stop
      this.#stop = null
      await stop?.()
    }
  }

  /** The one before ends first: what it had not delivered is in the outbox, and goes on from there. */
  async replace(next: RunningNotifier): Promise<void> {
    const stop = this.#stop
    await stop?.()
    this.#now = next
    if (this.#stop === stop && stop !== null) this.#stop = next.start()
  }

  standing(): NotifyStanding | null {
    return this.#now.standing()
  }

  absences(): Absences | undefined {
    return this.#now.absences()
  }
}
