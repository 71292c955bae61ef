// The noun of `record`: one ledger line. Canonical JSON, at most 65,535 bytes; larger payloads (review
// documents) are stored beside the log under their digest. No secret, token or body is ever in one.
import type { Assertion } from '@seconder/ledger/assertion'
import type { SeatCount } from '../decide/decision.ts'
import type { JsonObject } from '../describe/action.ts'
import type { Outcome } from '../execute/outcome.ts'
import type { PeopleChange } from '../lib/people-change.ts'

/** What every entry about a call says of it. */
export interface CallFacts {
  readonly session: string
  readonly operator: string
  readonly agent: string
  readonly role: string
  readonly operation: string
  readonly resources: readonly string[]
  readonly environments: readonly string[]
  readonly effects: readonly string[]
  readonly digest: string
  readonly epoch: number
}

/** A statement as signed: its exact text, the armored signature, and the public key it verifies under. */
export interface SshAct {
  readonly statement: string
  readonly signature: string
  readonly publicKey: string
}

/** A statement whose SHA-256 a passkey signed, with all that verifies it again (base64url). */
export interface PasskeyAct {
  readonly statement: string
  readonly passkey: string
  readonly assertion: Assertion
}

export type SignedAct = SshAct | PasskeyAct

export type Entry =
  | {
      type: 'gate-created'
      at: string
      ledgerKey: string
      nonce: string
      people: readonly JsonObject[]
    }
  | {
      type: 'epoch-activated'
      at: string
      epoch: number
      version: string
      content: string
      acts: readonly SignedAct[]
    }
  | { type: 'gate-started'; at: string; epoch: number; refusing: string | null }
  /** The state came from a back-up: from here on every session is closed, and no approval counts. */
  | {
      type: 'gate-restored'
      at: string
      backupAt: string
      /** Entries of the ledger that the back-up had. */
      backupSize: number
      /** Whether the ledger that was there went on, or what was recorded after the back-up is lost. */
      ledger: 'kept' | 'from-backup' | 'unknown'
      /** What was open in the back-up, and ended. */
      sessions: number
      grants: number
      requests: number
    }
  /** One of the signatures that a change of people needs; it is not in force yet. */
  | { type: 'people-signed'; at: string; change: PeopleChange; signer: string; act: SignedAct }
  /** In force from here on. `acts` are those that made it so; `by` says by which rule. */
  | {
      type: 'people-changed'
      at: string
      change: PeopleChange
      by: 'two-people' | 'first-member-link' | 'all-others-and-a-day'
      acts: readonly SignedAct[]
    }
  | {
      type: 'people-cancelled'
      at: string
      change: PeopleChange
      by: string | null
      act: SignedAct | null
    }
  /** Somebody may read from here on; null where an identity provider vouched for them. */
  | { type: 'signed-in'; at: string; person: string; use: string; act: SignedAct | null }
  /** Who is told instead of the signer, until when; null where they are back. It gives nobody a right. */
  | {
      type: 'away'
      at: string
      signer: string
      away: { readonly to: string; readonly until: string } | null
      act: SignedAct
    }
  /** Whose passkeys count from here on, and on which pages (red team M4). */
  | { type: 'relying-party'; at: string; rpId: string; origins: readonly string[] }
  | {
      type: 'session-opened'
      at: string
      session: string
      operator: string
      agent: string
      role: string
      /** What the operator signed that the agent is to do, and who sent it; absent where they did not say. */
      task?: string
      instigators?: readonly string[]
      act: SignedAct
    }
  | {
      type: 'child-session-opened'
      at: string
      session: string
      /** The session whose AssumeRole it answers. */
      parent: string
      operator: string
      agent: string
      role: string
      /** RoleSessionName, a label of the client's. */
      label: string
      expiresAt: string
    }
  | { type: 'session-closed'; at: string; session: string; act: SignedAct | null }
  /** Its keys, or those of a child (`used`), were used from elsewhere: nothing passes until it has new ones. */
  | {
      type: 'session-suspended'
      at: string
      session: string
      operator: string
      used: string
      /** Of the keys that were used; absent in entries of older builds. */
      accessKeyId?: string
      from: string
    }
  | {
      type: 'session-resumed'
      at: string
      session: string
      operator: string
      /** Access key id of the keys that are good for nothing from here on; absent in entries of older builds. */
      replaced?: string
      expiresAt: string
      act: SignedAct
    }
  | {
      type: 'unverified'
      at: string
      code: string
      /** Refusals since the one before that have no entry of their own: of everybody, while the clock stood. */
      more?: number
    }
  | {
      type: 'refused'
      at: string
      session: string
      operator: string
      code: string
      operation: string | null
      /** Refusals of this session since the one before that have no entry of their own: it calls too often. */
      more?: number
    }
  | ({ type: 'denied'; at: string; code: string; policies: readonly string[] } & CallFacts)
  | ({
      type: 'read'
      at: string
      policies: readonly string[]
      /** Set on a HEAD that passed where policy would have held its GET (red team M14). */
      softened?: 'review'
    } & CallFacts)
  | ({
      type: 'request-opened'
      at: string
      request: string
      requirement: readonly SeatCount[]
      policies: readonly string[]
      document: string
      expiresAt: string
    } & CallFacts)
  | ({
      type: 'plan-opened'
      at: string
      request: string
      requirement: readonly SeatCount[]
      policies: readonly string[]
      document: string
      expiresAt: string
      steps: readonly {
        readonly operation: string
        readonly digest: string
        readonly follows: readonly number[]
      }[]
    } & CallFacts)
  | {
      type: 'break-glass-opened'
      at: string
      breakGlass: string
      session: string
      operator: string
      effects: readonly string[]
      resources: readonly string[]
      effectsMax: number
      until: string
      /** Its statement holds the reason. */
      act: SignedAct
    }
  | {
      type: 'break-glass-reviewed'
      at: string
      breakGlass: string
      session: string
      reviewer: string
      act: SignedAct
    }
  | {
      type: 'plan-recording'
      at: string
      plan: string
      session: string
      operator: string
      agent: string
      epoch: number
    }
  | ({ type: 'plan-step'; at: string; plan: string; step: number } & CallFacts)
  | {
      type: 'plan-stopped'
      at: string
      plan: string
      session: string
      /** The step that was next, or failed; null where none had been begun. */
      step: number | null
      why: string
    }
  | { type: 'request-closed'; at: string; request: string; state: string; by: string | null }
  | {
      type: 'review'
      at: string
      request: string
      reviewer: string
      verdict: string
      strength: string
      act: SignedAct
    }
  | {
      /** `plan-approved`: for every step of a plan, in order. */
      type: 'grant-made' | 'plan-approved'
      at: string
      grant: string
      request: string
      digest: string
      reviewers: readonly string[]
      expiresAt: string
    }
  | {
      type: 'grant-revoked'
      at: string
      grant: string
      request: string
      why: string
      /** Who took it back; null where the gate did, because it no longer fitted. */
      signer: string | null
      act: SignedAct | null
    }
  | { type: 'grant-expired'; at: string; grant: string; request: string }
  | {
      type: 'request-cancelled'
      at: string
      request: string
      session: string
      by: 'agent' | 'operator'
      signer: string | null
      act: SignedAct | null
    }
  | {
      type: 'request-escalated'
      at: string
      request: string
      team: string
      /** What of that team would be enough instead; null where policy takes no such approval. */
      alternative: readonly SeatCount[] | null
    }
  | ({
      type: 'intent'
      at: string
      effect: string
      request: string | null
      grant: string | null
      /** SHA-256 (hex) of the call's signature, which is used once; absent in entries of older builds. */
      signature?: string
      /** Set where it is a step of an approved plan. */
      plan?: { readonly plan: string; readonly step: number }
      /** Set where its operator went ahead alone, with the SHA-256 of what was kept of the call. */
      breakGlass?: string
      document?: string
      policies: readonly string[]
      /** Set where `observe` let pass what `enforce` would not have. */
      observed: string | null
    } & CallFacts)
  | { type: 'outcome'; at: string; effect: string; outcome: Outcome }
  /** A payload beside the log is dropped; its digest stays in the entries that name it. */
  | {
      type: 'redacted'
      at: string
      payload: string
      reason: string
      by: readonly string[]
      acts: readonly SignedAct[]
      /** That of what the payload was about. */
      session: string
    }
  /** The same for those that are older than the epoch in force says. */
  | {
      type: 'retention-ended'
      at: string
      payloads: readonly string[]
      epoch: number
      days: number
    }
