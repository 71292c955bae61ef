// Whatever a random estate looks like: a deny, a boundary or an SCP more never lets anybody reach more, and an
// allow more never less.
import { expect, test } from 'vitest'
import {
  allow,
  arnOf,
  deny,
  document,
  graphOf,
  type Lists,
  managed,
  organizationOf,
  role,
  trusts,
  user,
} from './estate.fixture.ts'

const ROUNDS = 60
const BOUNDARY = arnOf('policy/boundary')

let seed = 20_261_126
const random = (below: number): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((seed / 2_147_483_648) * below)
}
const one = <T>(list: readonly T[]): T => list[random(list.length)] as T

const ACTIONS = [
  '*',
  'iam:*',
  'iam:Put*',
  'iam:PassRole',
  'iam:CreateAccessKey',
  'iam:UpdateAssumeRolePolicy',
  'iam:Delete*Boundary',
  'lambda:*',
  'sts:AssumeRole',
  'dynamodb:*',
  'dynamodb:DeleteTable',
  's3:Delete*',
  'ec2:*',
]
const RESOURCES = [
  '*',
  '*',
  arnOf('role/*'),
  arnOf('role/r1'),
  arnOf('user/*'),
  'arn:aws:dynamodb:*:*:table/dev-*',
  'arn:aws:dynamodb:*:*:table/prod-*',
]
const CONDITIONS = [
  {},
  {},
  {},
  { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } },
  { Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } } },
]
const statement = () =>
  (random(4) === 0 ? deny : allow)(one(ACTIONS), one(RESOURCES), one(CONDITIONS))
const TRUSTS = [
  { Service: 'lambda.amazonaws.com' },
  { AWS: arnOf('root') },
  { AWS: arnOf('role/r0') },
  { AWS: arnOf('user/u0') },
]

type Statement = ReturnType<typeof allow>
interface Drawn {
  readonly name: string
  readonly can: readonly Statement[]
  readonly isBounded: boolean
}

function drawn(): { users: Drawn[]; roles: (Drawn & { trust: Statement })[]; bounds: Statement[] } {
  const made = (name: string): Drawn => ({
    name,
    can: Array.from({ length: 1 + random(3) }, statement),
    isBounded: random(5) === 0,
  })
  return {
    users: ['u0', 'u1'].map(made),
    roles: ['r0', 'r1', 'r2'].map((name) => ({ ...made(name), trust: trusts(one(TRUSTS)) })),
    bounds: [allow(one(ACTIONS)), allow('dynamodb:*')],
  }
}

type Estate = ReturnType<typeof drawn>
interface More {
  readonly can?: Statement
  readonly bounded?: boolean
  readonly scp?: Statement
}

/** How near each principal gets to ruling the account; `more` is for u0 alone, an SCP for all. */
function ranksOf({ users, roles, bounds }: Estate, more: More = {}): Map<string, number> {
  const policiesOf = ({ name, can, isBounded }: Drawn) => ({
    name,
    can: name === 'u0' && more.can ? [...can, more.can] : can,
    ...((isBounded || (name === 'u0' && more.bounded)) && { boundary: BOUNDARY }),
  })
  const lists: Lists = {
    users: users.map((each) => user(policiesOf(each))),
    roles: roles.map((each) => role({ ...policiesOf(each), trust: [each.trust] })),
    policies: [managed(BOUNDARY, document(...bounds))],
  }
  const scps = more.scp ? [document(more.scp)] : []
  const { graph, ways } = graphOf(lists, organizationOf(scps))
  return new Map(
    [...graph.subjects.byArn.keys()].map((arn) => {
      const ranks = [...ways(arn).values()].map(({ to, truth }) =>
        Math.min(RANK[truth], RANK[graph.rules(to)]),
      )
      return [arn, Math.max(...ranks)]
    }),
  )
}

const RANK = { no: 0, unknown: 1, yes: 2 }

/** Those who get further in `less` than in `more`. */
function further(less: Map<string, number>, more: Map<string, number>): string[] {
  return [...less].flatMap(([arn, rank]) => (rank > (more.get(arn) ?? 0) ? [arn] : []))
}

test('denies, boundaries and SCPs only take away; allows only add', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const estate = drawn()
    const plain = ranksOf(estate)
    const cases: [string, More, boolean][] = [
      ['a deny', { can: deny(one(ACTIONS), one(RESOURCES)) }, true],
      ['a boundary', { bounded: true }, true],
      ['an SCP', { scp: deny(one(ACTIONS), one(RESOURCES)) }, true],
      ['an allow', { can: allow(one(ACTIONS), one(RESOURCES)) }, false],
    ]
    for (const [name, more, takesAway] of cases) {
      const other = ranksOf(estate, more)
      const wrong = takesAway ? further(other, plain) : further(plain, other)
      expect([round, name, JSON.stringify(more), wrong]).toEqual([
        round,
        name,
        JSON.stringify(more),
        [],
      ])
    }
  }
})
