// How requests and approvals end: whole in the state at once, so that nothing passes by them any more, together
// with the entries that say so. These are recorded right after; where a crash comes between, by whoever goes on.
import type { VerifiedAct } from '../lib/signed-act.ts'
import type { Unrecorded } from '../record/recorder.ts'
import type { DenialRow, EndedGrant } from '../state/standing-store.ts'
import type { GrantRow, ReviewRow } from '../state/store.ts'
import type { DeskOptions } from './desk-options.ts'

/** Who took an approval back, and why; nobody where the gate did. */
export interface Taken {
  readonly signer: string | null
  readonly act: VerifiedAct<unknown>['act'] | null
  readonly why: string
}

interface EndedRequest {
  readonly state: 'cancelled' | 'denied' | 'changes_requested' | 'expired'
  readonly by: string | null
  readonly comment: string
}

export class Endings {
  readonly #options: Pick<DeskOptions, 'store' | 'recorder'>
  readonly #wake: (request: string) => void

  constructor(options: Pick<DeskOptions, 'store' | 'recorder'>, wake: (request: string) => void) {
    this.#options = options
    this.#wake = wake
  }

  /**
   * Ends a request that waits; false where it had ended. An approval that came at the same time, at another
   * gateway, ends then.
   */
  async request(
    id: string,
    ended: EndedRequest,
    said: { entries: readonly Unrecorded[]; review?: ReviewRow; denials?: readonly DenialRow[] },
  ): Promise<boolean> {
    const { store, recorder } = this.#options
    const { entries, ...along } = said
    const owed = entries.map((entry) => recorder.owed(entry))
    const { state, by, comment } = ended
    const isEnded = await store.closeRequest(id, state, by, comment, { ...along, owed })
    this.#wake(id)
    if (isEnded) await recorder.recordOwed(owed)
    else {
      const grant = await store.grantForRequest(id)
      const why = `it was ${state} at the same time`
      if (grant) await this.revoked(grant, { signer: null, act: null, why }, along.denials)
    }
    return isEnded
  }

  /** Takes an approval back; false where it is not ready any more. */
  revoked(grant: GrantRow, taken: Taken, denials: readonly DenialRow[] = []): Promise<boolean> {
    const { id, requestId: request } = grant
    const entry = { type: 'grant-revoked', grant: id, request, ...taken } as const
    return this.#grant(
      grant,
      { state: 'revoked', by: taken.signer, why: taken.why },
      entry,
      denials,
    )
  }

  /** Ends an approval that is past its time; false where it is not ready any more. */
  expired(grant: GrantRow): Promise<boolean> {
    const { id, requestId: request } = grant
    const entry = { type: 'grant-expired', grant: id, request } as const
    return this.#grant(grant, { state: 'expired', by: null, why: 'nobody used it in time' }, entry)
  }

  async #grant(
    { id, requestId }: GrantRow,
    ended: EndedGrant,
    entry: Unrecorded,
    denials: readonly DenialRow[] = [],
  ): Promise<boolean> {
    const { store, recorder } = this.#options
    const owed = [recorder.owed(entry)]
    if (!(await store.endGrant(id, ended, { owed, denials }))) return false
    this.#wake(requestId)
    await recorder.recordOwed(owed)
    return true
  }
}
