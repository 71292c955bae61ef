// Done-when 5 of the AWS door: the review of DeleteStack names every resource in the stack, nested ones
// too, whatever time there was.
import { expect, test } from 'vitest'
import {
  describedStack,
  describedTable,
  type ListedResource,
  NO_BACKUPS,
  RECOVERY_OFF,
  stackResources,
  template,
} from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { resolve } from './resolve.ts'
import { awsAction, type Script, scriptedUpstream } from './scripted-upstream.fixture.ts'
import { MAX_NESTED_STACKS, MAX_NESTING } from './stack-contents.ts'
import { summarise } from './summary.ts'

const DELETE = awsAction('cloudformation:DeleteStack', { StackName: 'shop' }, ['destroy'])
const look = (script: Script, action = DELETE, deadlineMs = 5_000) =>
  resolve(action, scriptedUpstream(script), { deadlineMs })

const NESTED = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-data-1A/4f5e'
const INNER: ListedResource = ['Data', 'AWS::CloudFormation::Stack', NESTED]
const TABLE: ListedResource = ['Orders', 'AWS::DynamoDB::Table', 'orders']
const EMPTY = template('{"Resources":{}}')
const SHOP: Script = {
  'cloudformation:DescribeStacks': describedStack(),
  'cloudformation:ListStackResources shop': stackResources([INNER]),
  [`cloudformation:ListStackResources ${NESTED}`]: stackResources([TABLE]),
  'cloudformation:GetTemplate': EMPTY,
  'dynamodb:DescribeTable': describedTable({ name: 'orders', items: 9, bytes: 900 }),
  'dynamodb:DescribeContinuousBackups': RECOVERY_OFF,
  'dynamodb:ListBackups': NO_BACKUPS,
}

test('a nested stack is opened: what is in it is named, bound, and no longer opaque', async () => {
  const evidence = await look(SHOP)
  expect(evidence.findings).toMatchObject([
    { type: 'table', name: 'orders', undo: 'no', notes: ['in nested stack `shop-data-1A`'] },
    { type: 'nested stack', holdsData: false },
  ])
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.couldNotLook).toEqual([])
  const grown = stackResources([TABLE, ['More', 'AWS::SQS::Queue', 'q']])
  const other = { ...SHOP, [`cloudformation:ListStackResources ${NESTED}`]: grown }
  expect(sameBinding(evidence, await look(other))).toBe(false)
})

test('a nested stack that may not be read is opaque and unread', async () => {
  const { [`cloudformation:ListStackResources ${NESTED}`]: _, ...hidden } = SHOP
  const evidence = await look(hidden)
  expect(evidence.addedEffects).toEqual(['opaque', 'destroy'])
  expect(evidence.couldNotLook).toContain(
    `nested stack \`${NESTED}\` holds more than is listed here: it was not opened`,
  )
})

test('stacks within stacks are opened to a depth and a number, and past it said not to be', async () => {
  const chain: Record<string, Script[string]> = {}
  const id = (level: number) => `${NESTED}${level}`
  for (let level = 0; level <= MAX_NESTING + 1; level += 1) {
    const name = level === 0 ? 'shop' : id(level)
    const inner: ListedResource = ['Inner', 'AWS::CloudFormation::Stack', id(level + 1)]
    chain[`cloudformation:ListStackResources ${name}`] = stackResources([inner])
  }
  const deep = scriptedUpstream({ ...SHOP, ...chain })
  const evidence = await resolve(DELETE, deep)
  expect(evidence.findings).toHaveLength(MAX_NESTING + 1)
  expect(evidence.addedEffects).toContain('opaque')
  expect(evidence.couldNotLook).toHaveLength(1)

  const many = Array.from(
    { length: MAX_NESTED_STACKS + 2 },
    (_, n): ListedResource => [`Inner${n}`, 'AWS::CloudFormation::Stack', `${NESTED}${n}`],
  )
  const wide = await look({
    ...SHOP,
    'cloudformation:ListStackResources': stackResources([]),
    'cloudformation:ListStackResources shop': stackResources(many),
  })
  expect(wide.findings).toHaveLength(MAX_NESTED_STACKS + 2)
  expect(wide.couldNotLook).toHaveLength(2)
})

test('what the template or the call keeps is kept, and a nested stack that is kept is not opened', async () => {
  const kept = template('{"Resources":{"Data":{"DeletionPolicy":"Retain"}}}')
  const upstream = scriptedUpstream({ ...SHOP, 'cloudformation:GetTemplate': kept })
  const evidence = await resolve(DELETE, upstream)
  expect(evidence.findings).toMatchObject([{ type: 'nested stack', fate: 'kept', undo: 'yes' }])
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(upstream.asked.some((one) => one.includes(`ListStackResources ${NESTED}`))).toBe(false)
  const retaining = { StackName: 'shop', RetainResources: ['Data'] }
  const call = awsAction('cloudformation:DeleteStack', retaining, ['destroy'])
  expect((await look(SHOP, call)).findings).toMatchObject([{ fate: 'kept' }])
  // The call names logical ids of the stack itself: a namesake inside goes.
  const inner = {
    ...SHOP,
    [`cloudformation:ListStackResources ${NESTED}`]: stackResources([['Data', TABLE[1], 'orders']]),
  }
  const { findings } = await look(
    {
      ...inner,
      'cloudformation:ListStackResources shop': stackResources([['Other', INNER[1], NESTED]]),
    },
    call,
  )
  expect(findings[0]).toMatchObject({ type: 'table', fate: 'deleted' })
})

test('a database without a policy of its own is snapshotted, one in a cluster is not', async () => {
  const body = {
    Resources: {
      Alone: { Type: 'AWS::RDS::DBInstance', Properties: {} },
      Member: { Type: 'AWS::RDS::DBInstance', Properties: { DBClusterIdentifier: 'c' } },
    },
  }
  const evidence = await look({
    ...SHOP,
    'cloudformation:GetTemplate': template(JSON.stringify(body)),
    'cloudformation:ListStackResources shop': stackResources([
      ['Alone', 'AWS::RDS::DBInstance', 'alone'],
      ['Member', 'AWS::RDS::DBInstance', 'member'],
    ]),
  })
  const undo = Object.fromEntries(evidence.findings.map((one) => [one.name, one.undo]))
  expect(undo).toEqual({ alone: 'from-backup', member: 'unknown' })
})

/** 250 resources in three pages, 100 of them in a nested stack; every second holds data. */
function bigStack(answersTables: boolean): Script {
  const listed = (from: number, to: number): ListedResource[] =>
    Array.from({ length: to - from }, (_, at): ListedResource => {
      const n = from + at
      return n % 2 === 0
        ? [`T${n}`, 'AWS::DynamoDB::Table', `table-${n}`]
        : [`R${n}`, 'AWS::EC2::Subnet', `subnet-${n}`]
    })
  const { 'dynamodb:DescribeTable': table, ...rest } = SHOP
  return {
    ...rest,
    'dynamodb:DescribeTable': answersTables ? (table ?? 'silence') : 'silence',
    'cloudformation:ListStackResources shop': stackResources(listed(0, 100), 'p2'),
    'cloudformation:ListStackResources shop from p2': stackResources(listed(100, 149), 'p3'),
    'cloudformation:ListStackResources shop from p3': stackResources([INNER]),
    [`cloudformation:ListStackResources ${NESTED}`]: stackResources(listed(150, 250)),
  }
}

test('250 resources, nested ones too, are all named and all looked at, the tables first', async () => {
  const evidence = await look(bigStack(true), DELETE, 60_000)
  expect(evidence.findings).toHaveLength(250)
  const tables = evidence.findings.filter((one) => one.type === 'table')
  expect(tables.length).toBe(125)
  expect(tables.every((one) => one.holdsData === true)).toBe(true)
  expect(evidence.findings.slice(0, 125)).toEqual(tables)
  expect(evidence.couldNotLook).toEqual([])
  expect(summarise(DELETE, evidence)).toMatch(/^This would delete 250 resources\. 125 hold data\./)
})

test('what there was no time for is named all the same, and said not to have been looked at', async () => {
  const evidence = await look(bigStack(false), DELETE, 1_500)
  expect(evidence.findings).toHaveLength(250)
  expect(bindingRead(evidence)).toBe(true)
  const tables = evidence.findings.filter((one) => one.type === 'table')
  expect(tables.every((one) => one.holds === null && one.undo !== 'yes')).toBe(true)
  expect(evidence.couldNotLook).toContainEqual(
    expect.stringMatching(
      /^1\d\d resources of stack `shop` were not looked at: there was no answer/,
    ),
  )
})
