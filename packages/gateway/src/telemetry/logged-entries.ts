// What of the ledger's entries is also an event of the log: ids, codes and counts of them, never their words.
import type { Recorder } from '../record/recorder.ts'
import type { Log } from './log.ts'

type NewEntry = Parameters<Recorder['record']>[0]
type Of<Type, Each = NewEntry> = Each extends { readonly type: infer Types }
  ? Type extends Types
    ? Each
    : never
  : never

/** A row for each type of entry, so that a new one has its event, or says here that it has none. */
type Rows = { readonly [Type in NewEntry['type']]: ((log: Log, entry: Of<Type>) => void) | null }

const sessionOpened = (log: Log, { session }: { readonly session: string }) =>
  log.write('session_opened', { session })

const requestOpened = (
  log: Log,
  { request, session, epoch }: Of<'request-opened'> | Of<'plan-opened'>,
) => log.write('request_opened', { request, session, epoch })

const grantMade = (log: Log, { request, grant }: Of<'grant-made'>) =>
  log.write('grant_made', { request, grant })

const ROWS: Rows = {
  'gate-created': null,
  'gate-started': null, // with the addresses that it listens on, where those are known
  'gate-restored': null,
  'epoch-activated': (log, { epoch }) => {
    // The first one is that of the files, and `gate_started` says so.
    if (epoch > 1) log.write('epoch_activated', { epoch })
  },
  'people-signed': null,
  'people-changed': (log) => log.write('people_changed', {}),
  'people-cancelled': null,
  'signed-in': null,
  away: null,
  'relying-party': null,
  'session-opened': sessionOpened,
  'child-session-opened': sessionOpened,
  'session-closed': (log, { session }) => log.write('session_closed', { session }),
  'session-suspended': (log, { session, used }) =>
    log.write('session_suspended', { session, used }),
  'session-resumed': (log, { session }) => log.write('session_resumed', { session }),
  unverified: (log, { code }) => log.write('call_unverified', { code }),
  refused: (log, { session, code }) => log.write('call_refused', { session, code }),
  denied: (log, { session, code, epoch }) => log.write('call_denied', { session, code, epoch }),
  read: null,
  'request-opened': requestOpened,
  'plan-opened': requestOpened,
  'plan-recording': null,
  'plan-step': null,
  'plan-stopped': (log, { plan, session }) => log.write('plan_stopped', { request: plan, session }),
  'request-escalated': null,
  'request-closed': (log, { request, state }) => log.write('request_closed', { request, state }),
  'request-cancelled': (log, { request }) =>
    log.write('request_closed', { request, state: 'cancelled' }),
  review: (log, { request, verdict }) => log.write('review_given', { request, verdict }),
  'grant-made': grantMade,
  'plan-approved': grantMade,
  'grant-revoked': (log, { request, grant }) => log.write('grant_revoked', { request, grant }),
  'grant-expired': null,
  'break-glass-opened': (log, { breakGlass, session }) =>
    log.write('break_glass_opened', { break_glass: breakGlass, session }),
  'break-glass-reviewed': (log, { breakGlass }) =>
    log.write('break_glass_reviewed', { break_glass: breakGlass }),
  intent: (log, { effect, session, request }) =>
    log.write('effect_begun', { effect, session, request }),
  outcome: (log, { effect, outcome: { result } }) => {
    if (result === 'unknown') log.write('effect_unknown', { effect })
    else log.write('effect_ended', { effect, result })
  },
  redacted: (log, { session }) => log.write('payload_redacted', { session }),
  'retention-ended': (log, { payloads, epoch }) =>
    log.write('retention_ended', { payloads: payloads.length, epoch }),
}

/** Writes the event of an entry that is durable; reads have none. */
export function logged(log: Log, entry: NewEntry): void {
  const row = ROWS[entry.type] as ((log: Log, entry: NewEntry) => void) | null
  row?.(log, entry)
}
