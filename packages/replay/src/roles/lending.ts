// Edges by a role that a service runs under: passed to something new, or already on something that does
// the caller's bidding. The service must be trusted by the role, and the caller must be able to pass it.

import { authorize, NO_POLICIES } from '@seconder/aws/iam/authorize'
import type { ContextValue } from '@seconder/aws/iam/request'
import type { Truth } from '@seconder/aws/iam/truth'
import { type Answer, type Asked, NO } from './asking.ts'
import { type CatalogueAction, catalogue, patternOf } from './catalogue.ts'
import type { ExistingRow, LendRow } from './escalation.ts'
import { partitionIn } from './estate.ts'
import { EXISTING } from './existing-rows.ts'
import { FURTHER_EXISTING, FURTHER_LENDING } from './further-rows.ts'
import type { Found, Use } from './graph.ts'
import { LENDING } from './lending-rows.ts'
import type { Subject, Subjects } from './subject.ts'

export type Add = (subject: Subject, gained: 'nothing', found: Found) => void

interface Trusting {
  readonly role: Subject
  readonly truth: Truth
  readonly dependsOn: readonly string[]
}

export class Lending {
  readonly #byService = new Map<string, Trusting[]>()

  constructor({ byArn }: Subjects) {
    const services = new Set(
      [...LENDING, ...FURTHER_LENDING, ...EXISTING, ...FURTHER_EXISTING].flatMap(
        (row) => row.services,
      ),
    )
    for (const service of services) {
      for (const role of byArn.values()) {
        const trusting = trustingOf(role, service)
        if (!trusting) continue
        const key = `${role.identity.account} ${service}`
        this.#byService.set(key, [...(this.#byService.get(key) ?? []), trusting])
      }
    }
  }

  from(asked: Asked, add: Add): void {
    if (asked.mentions('iam:PassRole')) {
      for (const row of [...LENDING, ...FURTHER_LENDING]) this.#lent(asked, row, add)
    }
    for (const row of [...EXISTING, ...FURTHER_EXISTING]) this.#existing(asked, row, add)
  }

  /** Roles of the caller's own account that trust one of the services; a role passes no account's border. */
  #trusting({ subject }: Asked, row: LendRow | ExistingRow): Trusting[] {
    return row.services
      .flatMap((service) => this.#byService.get(`${subject.identity.account} ${service}`) ?? [])
      .filter(
        ({ role }) => row.throughProfile !== true || role.identity.instanceProfiles.length > 0,
      )
  }

  #lent(asked: Asked, row: LendRow, add: Add): void {
    const roles = this.#trusting(asked, row)
    if (roles.length === 0) return
    const made = together(asked, row.actions)
    if (made.truth === 'no') return
    for (const trusting of roles) {
      const { arn } = trusting.role.identity
      const passed = passing(asked, arn, row.services)
      if (passed.truth === 'no') continue
      const dependsOn = dependsOnOf([made, passed, trusting], row.needs)
      const isCertain = [made, passed, trusting].every(({ truth }) => truth === 'yes')
      add(trusting.role, 'nothing', {
        row: row.id,
        truth: isCertain && dependsOn.length === 0 ? 'yes' : 'unknown',
        about: row.about,
        dependsOn,
        evidence: [...passed.evidence, ...made.evidence],
        uses: [{ action: 'iam:PassRole', resource: arn }, ...made.uses],
      })
    }
  }

  #existing(asked: Asked, row: ExistingRow, add: Add): void {
    const roles = this.#trusting(asked, row)
    if (roles.length === 0) return
    const done = together(asked, row.actions)
    if (done.truth === 'no') return
    for (const { role, dependsOn } of roles) {
      add(role, 'nothing', {
        row: row.id,
        // Whether there is such a thing, no export of IAM says.
        truth: 'unknown',
        about: row.about,
        dependsOn: dependsOnOf([done, { dependsOn }], row.needs),
        evidence: done.evidence,
        uses: done.uses,
      })
    }
  }
}

function dependsOnOf(
  answers: readonly { readonly dependsOn: readonly string[] }[],
  needs: string | undefined,
): string[] {
  const all = answers.flatMap(({ dependsOn }) => dependsOn)
  return [...new Set(needs === undefined ? all : [...all, needs])].sort()
}

function trustingOf(role: Subject, service: string): Trusting | null {
  const { identity, trust, levels } = role
  if (identity.kind !== 'role' || identity.serviceLinked) return null
  if (trust === null) {
    return { role, truth: 'unknown', dependsOn: [`the trust policy of ${identity.arn}`] }
  }
  const keys = new Map<string, ContextValue>([
    ['aws:sourceaccount', [identity.account]],
    ['aws:principalisawsservice', ['true']],
    ['aws:principalservicename', [service]],
    ['sts:externalid', null],
  ])
  const verdict = authorize(
    {
      principal: { kind: 'service', arn: service, account: '' },
      action: 'sts:AssumeRole',
      resource: identity.arn,
      resourceAccount: identity.account,
      context: { keys, others: 'unknown' },
    },
    { ...NO_POLICIES, resource: trust, resourceKind: 'trust', rcps: levels.rcps },
  )
  if (verdict.answer === 'deny') return null
  const truth = verdict.answer === 'allow' ? 'yes' : 'unknown'
  return { role, truth, dependsOn: verdict.dependsOn }
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html */
function passing(asked: Asked, arn: string, services: readonly string[]): Answer {
  let best = NO
  for (const service of services) {
    const keys = new Map<string, ContextValue>([['iam:passedtoservice', [service]]])
    const answer = asked.ask({ action: 'iam:PassRole', resource: arn, keys })
    if (answer.truth === 'yes') return answer
    if (answer.truth === 'unknown') best = answer
  }
  return best
}

interface Together extends Answer {
  readonly uses: readonly Use[]
}

/** All of the actions, each on something. */
export function together(asked: Asked, actions: readonly string[]): Together {
  const answers: Answer[] = []
  const uses: Use[] = []
  for (const action of actions) {
    const answer = onSomething(asked, action)
    if (answer.truth === 'no') return { ...NO, uses: [] }
    answers.push(answer)
    uses.push({ action, resource: answer.on[0] ?? answer.partly[0] ?? '*' })
  }
  const dependsOn = [...new Set(answers.flatMap((each) => each.dependsOn))].sort()
  const evidence = answers.flatMap((each) => each.evidence)
  const truth = answers.every((each) => each.truth === 'yes') ? 'yes' : 'unknown'
  return { ...NO, truth, dependsOn, evidence, uses }
}

/** Whether the action is allowed on something of its resource types in the caller's account. */
export function onSomething(asked: Asked, action: string): Answer {
  if (!asked.mentions(action)) return NO
  const known = catalogue().byAction.get(action.toLowerCase())
  return known === undefined ? asked.ask({ action, resource: '*' }) : onTypes(asked, known)
}

/** Every type that must be there, else any one type, else `*`. */
export function onTypes(
  asked: Asked,
  { action, formats, required }: CatalogueAction,
  places: readonly string[] = [],
): Answer {
  const { account, arn } = asked.subject.principal
  const place = { account, partition: partitionIn(arn) }
  const everything = (): Answer => asked.ask({ action, resource: '*', isLiteral: true })
  if (formats.length === 0) return everything()
  if (required > 0) {
    const needed = formats.slice(0, required)
    const answers = needed.map((format) =>
      asked.ask({ action, resource: patternOf(format, place), places }),
    )
    if (answers.some(({ truth }) => truth === 'no')) return NO
    const isCertain = answers.every(({ truth }) => truth === 'yes')
    return {
      truth: isCertain ? 'yes' : 'unknown',
      on: isCertain ? answers.flatMap(({ on }) => on) : [],
      partly: isCertain ? answers.flatMap(({ partly }) => partly) : [],
      may: answers.flatMap(({ may, on, partly }) => (isCertain ? may : [...may, ...on, ...partly])),
      dependsOn: [...new Set(answers.flatMap(({ dependsOn }) => dependsOn))].sort(),
      evidence: answers[0]?.evidence ?? [],
    }
  }
  const typed = formats.map((format) =>
    asked.ask({ action, resource: patternOf(format, place), places }),
  )
  return anyOf([...typed, everything()])
}

function anyOf(answers: readonly Answer[]): Answer {
  const certain = answers.filter(({ truth }) => truth === 'yes')
  const open = answers.filter(({ truth }) => truth === 'unknown')
  const [first] = [...certain, ...open]
  if (first === undefined) return NO
  return {
    truth: first.truth,
    on: [...new Set(certain.flatMap(({ on }) => on))],
    partly: [...new Set(certain.flatMap(({ partly }) => partly))],
    may: [...new Set([...certain, ...open].flatMap(({ may }) => may))],
    dependsOn: first.dependsOn,
    evidence: first.evidence,
  }
}
