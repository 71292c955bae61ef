// What a gate counts while it works, by the names that operators see. No label holds an agent's text, the name of a
// resource, an account, a person or a token: only closed lists, and the environments of the configuration.
import { Counter, Histogram, Registry } from './metric.ts'

/** How a call ended, as far as the gate decided it. */
export type CallDecision = 'allow' | 'approved' | 'review' | 'deny' | 'refused' | 'joined'

/** Upper ends in seconds: a read takes a millisecond, a held call twenty seconds. */
const CALL_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]
const DISK_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
/** From half a minute to a day: people answer these. */
const REVIEW_SECONDS = [15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 86_400]

export class GateMetrics {
  readonly registry = new Registry()

  readonly calls = this.#counter('seconder_calls', {
    help: 'Calls answered. decision: allow, approved (by people), review (held), deny, refused (by a rule or an error), joined (a copy of another call).',
    labels: ['decision', 'effect', 'environment'],
  })
  readonly callSeconds = this.#histogram(
    'seconder_call_duration_seconds',
    { help: 'From the head of a request to the last byte of its answer.', labels: ['decision'] },
    CALL_SECONDS,
  )
  readonly refusals = this.#counter('seconder_refusals', {
    help: 'Calls refused, by the stable code of the refusal.',
    labels: ['code'],
  })
  readonly upstreamSeconds = this.#histogram(
    'seconder_upstream_duration_seconds',
    {
      help: 'Until the head of an answer of the upstream. kind: call, look_up. status: 2xx to 5xx, none where no answer came.',
      labels: ['kind', 'status'],
    },
    CALL_SECONDS,
  )
  readonly outcomes = this.#counter('seconder_outcomes', {
    help: 'Effects by their outcome. unknown: sent, and no answer came.',
    labels: ['result'],
  })
  readonly lookUpsRefused = this.#counter('seconder_look_ups_refused', {
    help: 'Look-ups that were not made. reason: budget, throttled.',
    labels: ['reason'],
  })
  readonly rateLimited = this.#counter('seconder_rate_limited', {
    help: 'Calls refused because there were too many. limit: session (in a minute), at_once (of one session), unverified (of nobody, and unanswered).',
    labels: ['limit'],
  })
  readonly entries = this.#counter('seconder_ledger_appends', {
    help: 'Ledger entries that this gateway made durable.',
    labels: ['type'],
  })
  readonly appendSeconds = this.#histogram(
    'seconder_ledger_append_duration_seconds',
    { help: 'Until an entry was durable.' },
    DISK_SECONDS,
  )
  readonly appendFailures = this.#counter('seconder_ledger_append_failures', {
    help: 'Ledger entries that could not be made durable; what depended on them was refused.',
  })
  readonly requests = this.#counter('seconder_requests', {
    help: 'Review requests opened, a plan counted as one.',
  })
  readonly reviews = this.#counter('seconder_reviews', {
    help: 'Signed verdicts of people.',
    labels: ['verdict'],
  })
  readonly reviewSeconds = this.#histogram(
    'seconder_review_duration_seconds',
    { help: 'From the opening of a request to each verdict on it.', labels: ['verdict'] },
    REVIEW_SECONDS,
  )
  readonly requestsClosed = this.#counter('seconder_requests_closed', {
    help: 'Review requests that ended. state: approved, denied, changes_requested, expired, cancelled.',
    labels: ['state'],
  })
  readonly breakGlasses = this.#counter('seconder_break_glasses', {
    help: 'Break-glasses opened.',
  })

  readonly spans = this.#counter('seconder_trace_spans', {
    help: 'Spans by what became of them. result: exported, dropped_queue, dropped_failed, dropped_rejected.',
    labels: ['result'],
  })
  /** When a changed configuration was last taken, and whether the last try was. */
  readonly configuration = { isTaken: true, takenAtMs: Date.now() }
  readonly reloads = this.#counter('seconder_config_reloads', {
    help: 'Times that the configuration was to be read again. result: taken, refused.',
    labels: ['result'],
  })

  #counter(name: string, { help, labels = [] }: { help: string; labels?: readonly string[] }) {
    return this.registry.add(new Counter({ name, help, labels }))
  }

  #histogram(
    name: string,
    { help, labels = [] }: { help: string; labels?: readonly string[] },
    bounds: readonly number[],
  ) {
    return this.registry.add(new Histogram({ name, help, labels }, bounds))
  }
}
