// Puts together what a gate knows and does about people: who signed, who changes whom, who may read.
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import type { RelyingParty } from '../lib/passkey.ts'
import { ActVerifier } from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import { PeopleDesk, type PeopleDeskOptions } from './desk.ts'
import { Enrolment } from './enrolment.ts'
import { FirstMember } from './first-member.ts'
import { Provider } from './provider.ts'
import {
  countsAt,
  localRelyingParty,
  recordRelyingParty,
  relyingPartyNotices,
  relyingPartyOf,
} from './relying-party.ts'
import { SignIns } from './sign-in.ts'

/** Where an identity provider sends people back to, under the console's first origin. */
export const RETURN_PATH = '/api/sign-ins/provider/return'

export interface PeopleSideOptions extends Pick<PeopleDeskOptions, 'signedBy' | 'ended'> {
  readonly config: Config
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  /** Where the console listens; known once it does. */
  readonly consoleUrl: () => string
}

export class PeopleSide {
  readonly #options: PeopleSideOptions
  readonly acts: ActVerifier
  readonly desk: PeopleDesk
  readonly firstMember: FirstMember
  readonly enrolment: Enrolment
  readonly signIns: SignIns
  /** Null where no identity provider is configured. */
  readonly provider: Provider | null

  constructor(options: PeopleSideOptions) {
    this.#options = options
    const { config, store, recorder, clock, gateId, signedBy, ended } = options
    const relyingParty = () => this.relyingParty()
    const signingParty = () => this.#signingParty()
    this.acts = new ActVerifier(store, clock, signingParty)
    const parts = { store, recorder, clock, gateId, acts: this.acts }
    const ofDesk = { ...parts, signedBy, ended, namesIdentities: config.oidc !== undefined }
    this.desk = new PeopleDesk(ofDesk)
    this.firstMember = new FirstMember(ofDesk, join(dirname(config.statePath), 'first-member'))
    this.enrolment = new Enrolment(clock, signingParty)
    this.signIns = new SignIns(parts)
    const { signIns } = this
    const returnUrl = () => `${relyingParty().origins[0]}${RETURN_PATH}`
    const { oidc: row } = config
    this.provider = row ? new Provider({ row, store, recorder, clock, signIns, returnUrl }) : null
  }

  relyingParty(): RelyingParty {
    return relyingPartyOf(this.#options.config.console, this.#options.consoleUrl())
  }

  /** The same, for what a passkey signs. Errors: `local_relying_party` (red team M4). */
  #signingParty(): RelyingParty {
    const relyingParty = this.relyingParty()
    if (!countsAt(this.#options.config, relyingParty)) throw localRelyingParty()
    return relyingParty
  }

  notices(): string[] {
    const { config, consoleUrl } = this.#options
    // Asked for before the console listens, too: of a page of `localhost`, only the port is not known yet.
    const relyingParty = relyingPartyOf(config.console, consoleUrl() || 'http://localhost')
    return relyingPartyNotices(config, relyingParty)
  }

  /** Once the console listens: says whose passkeys count, before any is taken. */
  async opened(): Promise<void> {
    await recordRelyingParty(this.#options.store, this.#options.recorder, this.relyingParty())
  }

  /** Where there is nobody: writes the first member's link. Returns words for the operator. */
  offerFirst(): Promise<string[]> {
    return this.firstMember.offer(this.relyingParty().origins[0] ?? this.#options.consoleUrl())
  }

  /** What is due by the clock. */
  async due(): Promise<void> {
    await this.#options.store.pruneSignIns(this.#options.clock.nowMs())
    await this.desk.due()
  }
}
