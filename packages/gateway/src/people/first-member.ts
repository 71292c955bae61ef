// How a gate without anybody gets its first member: by a one-time code in a file that only the gate's own user
// reads, never by anything printed (red team C10). It works once, for ten minutes, while there is nobody.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { sha256Hex } from '../lib/canonical-json.ts'
import { type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import { applyChange, type PeopleDeskOptions } from './desk.ts'
import { changeRefused, requirePossible } from './roster.ts'
import { FIRST_MEMBER_NAMESPACE, FIRST_MEMBER_STATEMENT } from './statement.ts'

/** How long the code works, in milliseconds. */
export const FIRST_MEMBER_MS = 10 * 60 * 1000

export class FirstMember {
  readonly #options: PeopleDeskOptions
  readonly #path: string
  #code: { readonly sha256: string; readonly untilMs: number } | null = null

  /** `path` is the file that the link is written to. */
  constructor(options: PeopleDeskOptions, path: string) {
    this.#options = options
    this.#path = path
  }

  /** Writes the link, where there is nobody yet. Returns words for the operator, without the link. */
  async offer(origin: string): Promise<string[]> {
    this.withdraw()
    if ((await this.#options.store.people()).length > 0) return []
    const code = randomBytes(24).toString('base64url')
    writeFileSync(this.#path, `${origin}/first-member#${code}\n`, { mode: 0o600, flag: 'wx' })
    const untilMs = this.#options.clock.nowMs() + FIRST_MEMBER_MS
    this.#code = { sha256: sha256Hex(code), untilMs }
    return [
      `nobody is a member yet: for ten minutes the one-time link in ${this.#path} makes the first one (seconder people first --link-file ${this.#path})`,
    ]
  }

  /** Ends the code and removes its file. */
  withdraw(): void {
    this.#code = null
    rmSync(this.#path, { force: true })
  }

  /** Errors: `statement_invalid`, `signature_invalid`, `change_refused`. */
  async join(given: GivenAct): Promise<{ readonly person: string }> {
    const { acts } = this.#options
    const keyLine = (statement: { change: { kind: string; keys?: readonly string[] } }) => {
      const { keys = [] } = statement.change
      if (statement.change.kind !== 'add-person' || keys.length !== 1) {
        throw invalidStatement('the first member adds themselves, with the one key that signs')
      }
      return keys[0] ?? ''
    }
    const shape = FIRST_MEMBER_STATEMENT
    const joined = await acts.verifyUnregistered(given, FIRST_MEMBER_NAMESPACE, shape, keyLine)
    return this.#options.store.alone('first member', async () => {
      const { store, clock, gateId } = this.#options
      const { change, gate, nonce, codeSha256 } = joined.statement
      const nowMs = clock.nowMs()
      if (gate !== gateId) throw invalidStatement('it is for another gate')
      if ((await store.people()).length > 0)
        throw changeRefused('there are members, who add others')
      if (!this.#opens(codeSha256, nowMs)) {
        throw changeRefused(
          'this link is not the one in the file of the gate, or was used or is old',
        )
      }
      // Linked to no provider yet: nobody is there who could have signed for that.
      await requirePossible(store, change, false)
      if (!(await store.useNonce(nonce, nowMs))) throw invalidStatement('its nonce was used before')
      this.withdraw()
      await applyChange(this.#options, change, 'first-member-link', [joined.act])
      return { person: change.person }
    })
  }

  #opens(codeSha256: string, nowMs: number): boolean {
    if (this.#code === null || this.#code.untilMs <= nowMs) return false
    return timingSafeEqual(Buffer.from(this.#code.sha256), Buffer.from(codeSha256))
  }
}
