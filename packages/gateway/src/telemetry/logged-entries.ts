// What of the ledger's entries is also an event of the log: ids, codes and counts of them, never their words.
import type { Recorder } from '../record/recorder.ts'
import type { Log } from './log.ts'

type NewEntry = Parameters<Recorder['record']>[0]

/** Writes the event of an entry that is durable; most reads have none. */
export function logged(log: Log, entry: NewEntry): void {
  switch (entry.type) {
    case 'session-opened':
    case 'child-session-opened':
      log.write('session_opened', { session: entry.session })
      break
    case 'session-closed':
      log.write('session_closed', { session: entry.session })
      break
    case 'request-opened':
    case 'plan-opened':
      log.write('request_opened', {
        request: entry.request,
        session: entry.session,
        epoch: entry.epoch,
      })
      break
    case 'request-closed':
      log.write('request_closed', { request: entry.request, state: entry.state })
      break
    case 'request-cancelled':
      log.write('request_closed', { request: entry.request, state: 'cancelled' })
      break
    case 'review':
      log.write('review_given', { request: entry.request, verdict: entry.verdict })
      break
    case 'grant-made':
    case 'plan-approved':
      log.write('grant_made', { request: entry.request, grant: entry.grant })
      break
    case 'grant-revoked':
      log.write('grant_revoked', { request: entry.request, grant: entry.grant })
      break
    case 'plan-stopped':
      log.write('plan_stopped', { request: entry.plan, session: entry.session })
      break
    default:
      loggedMore(log, entry)
  }
}

/** What calls left, and what changed for all of them. */
function loggedMore(log: Log, entry: NewEntry): void {
  switch (entry.type) {
    case 'denied':
      log.write('call_denied', {
        session: entry.session,
        code: entry.code,
        epoch: entry.epoch,
      })
      break
    case 'refused':
      log.write('call_refused', { session: entry.session, code: entry.code })
      break
    case 'unverified':
      log.write('call_unverified', { code: entry.code })
      break
    case 'break-glass-opened':
      log.write('break_glass_opened', {
        break_glass: entry.breakGlass,
        session: entry.session,
      })
      break
    case 'break-glass-reviewed':
      log.write('break_glass_reviewed', { break_glass: entry.breakGlass })
      break
    case 'epoch-activated':
      // The first one is that of the files, and `gate_started` says so.
      if (entry.epoch > 1) log.write('epoch_activated', { epoch: entry.epoch })
      break
    case 'people-changed':
      log.write('people_changed', {})
      break
    case 'intent':
      log.write('effect_begun', {
        effect: entry.effect,
        session: entry.session,
        request: entry.request,
      })
      break
    case 'outcome':
      if (entry.outcome.result === 'unknown') {
        log.write('effect_unknown', { effect: entry.effect })
      } else log.write('effect_ended', { effect: entry.effect, result: entry.outcome.result })
      break
    default:
  }
}
