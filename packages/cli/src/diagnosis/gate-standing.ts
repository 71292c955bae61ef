// What the gate says of itself, as findings: epoch, modes, notices, trust of its roles, SCPs, clocks. Pure.
import type { OwnLook } from '@seconder/gateway/execute/own-look'
import type { Readiness } from '@seconder/gateway/readiness'
import type { Standing } from '@seconder/gateway/wall/standing'
import type { GateFacts } from '../gate-client.ts'
import { broken, type Finding, ok, unknown, warning } from './finding.ts'

/** AWS refuses signatures that are older; half of it is a warning. Source: SigV4, "request expiration". */
const CLOCK_MS_MAX = 5 * 60_000

/** The SCPs that `seconder init aws` writes. */
const SCPS = ['seconder-changes', 'seconder-tags']

export function answersFinding(facts: GateFacts): Finding {
  return facts.refusing === null
    ? ok('gate', `answers under epoch ${facts.epoch}`)
    : broken(
        'gate',
        `refuses everything: ${facts.refusing}`,
        'two people: seconder policy activate',
      )
}

/** What to do about each part that is not well; the table is that of docs/operations.md. */
const NEXT: Readonly<Record<string, string>> = {
  ledger: 'look at the disk, or at PostgreSQL; then start the gate again',
  state: 'look at the disk, or at PostgreSQL',
  epoch: 'two people sign what is in force: seconder policy activate',
  credentials: 'look at upstream.aws.credentials in seconder.yaml',
  draining: 'it was told to stop: wait, then start it again',
}

/** Whether it can do its work now, a finding for each part that cannot; null where nothing there says so. */
export function readyFindings(readiness: Readiness | null): Finding[] {
  if (readiness === null) {
    return [
      unknown('ready', 'nothing at /readyz says so', 'is this the console address of a gate?'),
    ]
  }
  const not = Object.entries(readiness.checks).filter(([, state]) => state !== 'ok')
  if (readiness.ready && not.length === 0) {
    return [ok('ready', 'ledger, state, epoch and credentials are in order')]
  }
  const named = not.map(([name, state]) => {
    const said = state === 'failing' ? broken : unknown
    return said(`ready: ${name}`, `it is ${state}`, NEXT[name] ?? 'see docs/operations.md')
  })
  // Not ready, and no part says why: that is not well either.
  return named.length > 0 ? named : [broken('ready', 'it says no', 'see docs/operations.md')]
}

export function gateFindings(standing: Standing): Finding[] {
  const { user, own, observing, notices, assumesRoles } = standing
  return [
    ok('user', `it runs as user ${user.name}`),
    own === null
      ? warning(
          'identity',
          'an emulator stands for AWS',
          'leave out `upstream.aws.endpoint` for real AWS',
        )
      : ok('identity', own),
    assumesRoles
      ? ok('credentials', 'each call goes out under a lent role, narrowed to it')
      : warning(
          'credentials',
          "calls go out under the gate's own credentials, not narrowed",
          'leave out `upstream.aws.assumeRole: false`',
        ),
    ...observing.map(({ name, until, roles }) =>
      warning(
        'mode',
        `${name} only observes${roles ? ` ${roles.join(', ')}` : ''} until ${until.slice(0, 16)}Z`,
        'set it to enforce when you know enough',
      ),
    ),
    ...notifyFindings(standing.notify),
    ...notices.map((words) => warning('start', words, 'see README.md, "Use it"')),
    ...(own === null ? [] : awsFindings(standing.aws)),
  ]
}

function awsFindings({ roles, scps, clockAheadMs }: OwnLook): Finding[] {
  return [
    ...roles.map(({ name, arn, trust }) => {
      const what = `trust ${name}`
      if (!trust.looked) {
        return unknown(
          what,
          trust.why,
          `look yourself: aws iam get-role --role-name ${arn.split('/').at(-1)}`,
        )
      }
      if (trust.value.length === 0)
        return ok(what, 'the gate alone, with tags and a source identity')
      return broken(what, trust.value.join('; '), 'apply the trust policy of: seconder init aws')
    }),
    scpFinding(scps),
    clockFinding(clockAheadMs),
  ]
}

function scpFinding(scps: OwnLook['scps']): Finding {
  if (!scps.looked) {
    return unknown(
      'SCP',
      scps.why,
      'look in the management account: aws organizations list-policies',
    )
  }
  const missing = SCPS.filter((name) => !scps.value.includes(name))
  if (missing.length === 0)
    return ok('SCP', `${SCPS.join(' and ')} exist; where they hold was not looked at`)
  return warning(
    'SCP',
    `there is no ${missing.join(' and no ')}`,
    'apply those of: seconder init aws',
  )
}

function clockFinding(ahead: OwnLook['clockAheadMs']): Finding {
  if (!ahead.looked) return unknown('clock', ahead.why, 'compare `date -u` with a time server')
  const seconds = Math.abs(ahead.value) / 1_000
  const words = `${seconds} s ${ahead.value < 0 ? 'ahead of' : 'behind'} AWS`
  if (Math.abs(ahead.value) > CLOCK_MS_MAX)
    return broken('clock', words, 'set the clock of the gate: AWS refuses it')
  if (Math.abs(ahead.value) > CLOCK_MS_MAX / 2)
    return warning('clock', words, 'set the clock of the gate')
  return ok('clock', words)
}

/** A gate of an older build says nothing of it. */
export function notifyFindings(notify: Standing['notify'] | undefined): Finding[] {
  if (!notify) {
    return [ok('notify', 'no channel is configured: reviewers look for themselves')]
  }
  const { trouble, unrouted, unwatched } = notify
  return [
    ...(trouble === null
      ? []
      : [warning('notify', `${trouble}: nobody is told`, 'look at notify.db beside the state')]),
    ...(unrouted + unwatched === 0
      ? []
      : [
          warning(
            'notify',
            `nobody was told of ${unrouted + unwatched} requests`,
            'add a route that fits them',
          ),
        ]),
    ...notify.channels.map(channelFinding),
  ]
}

function channelFinding(channel: NonNullable<Standing['notify']>['channels'][number]): Finding {
  const { name, kind, waiting, delivered, givenUp, dropped, failing } = channel
  const what = `notify ${name}`
  const counts = `${kind}: ${delivered} delivered, ${waiting} waiting, ${givenUp + dropped} lost`
  if (failing !== null)
    return warning(what, `${counts}; ${failing}`, `seconder notify test --channel ${name}`)
  if (givenUp + dropped > 0)
    return warning(what, counts, 'those requests are in: seconder request ls')
  return ok(what, counts)
}
