import { expect, test } from 'vitest'
import { Engine } from './engine.ts'
import { PolicyError } from './errors.ts'
import { EXPRESSION_DEPTH_MAX } from './expression.ts'
import { freshCedar } from './fresh-cedar.ts'
import { FILE_BYTES_MAX, loadPolicySet, SOURCES_BYTES_MAX } from './policy-set.ts'
import { folderSources, readText, setOf } from './sample-request.ts'

const SCHEMA = readText('policies/schema.cedarschema')
const when = (condition: string) =>
  `@id("a") permit (principal, action, resource) when { ${condition} };`
const forbidWhen = (condition: string) => when(condition).replace('permit', 'forbid')

/** The code a text is refused with, or `loaded`. */
async function codeOf(text: string): Promise<string> {
  try {
    await setOf(text)
    return 'loaded'
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    expect(error.message).not.toBe('')
    expect(error.help).not.toBe('')
    return error.code
  }
}

test.each([
  ['policy_unparsable', 'permit (principal, action'],
  ['policy_unparsable', 'not a policy'],
  ['annotation_missing', 'permit (principal, action, resource);'],
  ['annotation_invalid', '@id("A B") permit (principal, action, resource);'],
  ['annotation_invalid', '@id("__proto__") permit (principal, action, resource);'],
  ['annotation_invalid', '@id("a") @raeson("x") permit (principal, action, resource);'],
  ['annotation_invalid', '@id("a") @reason("x\\u{202e}y") permit (principal, action, resource);'],
  ['annotation_invalid', '@id("a") @reason("x\\ny") permit (principal, action, resource);'],
  ['duplicate_id', when('true').repeat(2)],
  ['template_refused', '@id("a") permit (principal == ?principal, action, resource);'],
  ['reserved_name', when('{ "__entity": 1 } == { "__entity": 1 }')],
  ['reserved_name', when('{ "__extn": 1 } == { "__extn": 1 }')],
  ['reserved_name', when('unknown("x")')],
  ['policy_invalid', when('context.aprovedBy.contains("sre:1")')],
  ['policy_invalid', when('context.operation == 1')],
  ['policy_invalid', '@id("a") permit (principal, action == Action::"delete", resource);'],
  ['policy_invalid', '@id("a") forbid (principal, action, resource == Environment::"production");'],
  ['policy_invalid', '@id("a") forbid (principal is Robot, action, resource);'],
])('a policy is refused with `%s`: %s', async (code, text) => {
  expect(await codeOf(text)).toBe(code)
})

const MONOTONE = [
  when('context.approvedBy.contains("sre:1")'),
  when('context.approvedBy.containsAll(["sre:1", "any:2"]) && context.operation like "s3:*"'),
  when('context.approvedBy.containsAny(["sre:1", "dba:2"]) || resource.resolved'),
  when('if context.breakGlass then true else context.approvedBy.contains("any:1")'),
  when('context["approvedBy"].contains("any:1")'),
  '@id("a") forbid (principal, action, resource) unless { context.approvedBy.contains("any:1") };',
]

test.each(MONOTONE)('more approvals cannot turn its allow into a deny: %s', async (text) => {
  expect(await codeOf(text)).toBe('loaded')
})

const NOT_MONOTONE = [
  when('!context.approvedBy.contains("sre:1")'),
  when('!(!context.approvedBy.contains("sre:1"))'),
  when('context.approvedBy.contains("sre:1") == false'),
  when('context.approvedBy.isEmpty()'),
  when('context.approvedBy == ["sre:1"]'),
  when('["sre:1"].containsAll(context.approvedBy)'),
  when('[context.approvedBy].contains(["sre:1"])'),
  when('if context.approvedBy.contains("sre:1") then false else true'),
  when('context has approvedBy'),
  when('{ a: context.approvedBy }.a.contains("sre:1")'),
  when('{ a: context }.a.approvedBy.contains("sre:1")'),
  when('(if true then context else context).approvedBy.contains("sre:1")'),
  when('context == context'),
  forbidWhen('context.approvedBy.contains("sre:1")'),
  forbidWhen('!context.approvedBy.contains("sre:1")'),
  '@id("a") permit (principal, action, resource) unless { context.approvedBy.contains("any:1") };',
  '@id("a") forbid (principal, action, resource) unless { !context.approvedBy.contains("any:1") };',
]

test.each(NOT_MONOTONE)('what could turn an allow into a deny is refused: %s', async (text) => {
  expect(await codeOf(text)).toBe('not_monotone')
})

test.each([
  when('context.approvedBy.contains("sre")'),
  when('context.approvedBy.contains("sre:0")'),
  when('context.approvedBy.contains("SRE:1")'),
  when('context.approvedBy.contains(context.operation)'),
  when('context.approvedBy.containsAll(["sre:1", "sre:10"])'),
  when('context.approvedBy.containsAll(context.iamActions)'),
])('a seat count that is none is refused: %s', async (text) => {
  expect(await codeOf(text)).toBe('seat_count_invalid')
})

test('an empty set of approvals is refused, by Cedar or by us', async () => {
  const code = await codeOf(when('context.approvedBy.containsAll([])'))
  expect(['policy_invalid', 'seat_count_invalid']).toContain(code)
})

test('too many teams to search are refused, and one fewer are not', async () => {
  const seats = (count: number) =>
    Array.from({ length: count }, (_, index) => `"t${index}:1"`).join(', ')
  expect(await codeOf(when(`context.approvedBy.containsAny([${seats(10)}])`))).toBe('loaded')
  const code = await codeOf(when(`context.approvedBy.containsAny([${seats(11)}])`))
  expect(code).toBe('too_many_seat_counts')
})

test('the error names the file, the line and the policy', async () => {
  const text = `// first line\n\n${when('!context.approvedBy.contains("sre:1")')}`
  await expect(setOf(text)).rejects.toMatchObject({
    file: 'test.cedar',
    policyId: 'a',
    message: expect.stringContaining('line 3:'),
  })
})

test.each([
  ['no schema', 'nonsense'],
  ['an effect of ours is missing', SCHEMA.replace('"opaque", ', '')],
  ['a fact of ours is missing', SCHEMA.replace('door: String,', '')],
  ['a fact is of another type', SCHEMA.replace('breakGlass: Bool', 'breakGlass: String')],
  [
    'it wants a fact that the gate has not',
    SCHEMA.replace('door: String,', 'door: String, x: Long,'),
  ],
])('a schema is refused where %s', async (_, schema) => {
  await expect(setOf(when('true'), schema)).rejects.toMatchObject({ code: 'schema_invalid' })
})

test('hazard 1: nested policy text is refused, and the gate goes on deciding', async () => {
  const parens = (count: number) => when(`${'('.repeat(count)}true${')'.repeat(count)}`)
  expect(await codeOf(parens(5_000))).toBe('policy_unparsable')
  const terms = Array(2_000).fill('context.breakGlass').join(' && ')
  expect(await codeOf(when(terms))).toBe('policy_unparsable')
  expect(await codeOf(when('true'))).toBe('loaded')
  await expect(setOf(parens(5_000))).rejects.toMatchObject({ file: 'test.cedar' })
})

test('hazard 1: an instance that threw is dropped and the next call gets a new one', () => {
  let made = 0
  const make = () => {
    made += 1
    return freshCedar()
  }
  const slices = new Map([['s', { a: when('true') }]])
  const engine = new Engine({ schema: SCHEMA, slices }, make)
  const entity = { type: 'Agent', id: 'x' }
  const call = { principal: entity, action: entity, resource: entity, context: {}, entities: [] }
  engine.warm()
  // A lone surrogate makes the glue throw (hazard 6).
  const poison = { ...call, context: { text: '\ud800' } }
  expect(() => engine.ask('s', 'poison', () => poison)).toThrow()
  expect(made).toBe(1)
  expect(engine.ask('s', 'call', () => call).type).toBe('failure')
  expect(made).toBe(2)
})

test('slices of the same policies are parsed once, and each of them answers', async () => {
  const parsed: string[] = []
  const makeCedar = () => {
    const cedar = freshCedar()
    const preparsePolicySet: typeof cedar.preparsePolicySet = (name, policies) => {
      parsed.push(JSON.stringify(policies))
      return cedar.preparsePolicySet(name, policies)
    }
    return { ...cedar, preparsePolicySet }
  }
  const set = await loadPolicySet(folderSources('policies'), { makeCedar })
  expect(parsed.length).toBe(new Set(parsed).size)
  expect(parsed.length).toBeLessThan(set.slices.size)
  const entity = { type: 'Agent', id: 'x' }
  const call = { principal: entity, action: entity, resource: entity, context: {}, entities: [] }
  for (const name of set.slices.keys()) {
    const answer = set.engine.ask(name, 'facts', () => call)
    const words = answer.type === 'failure' ? answer.errors.map(({ message }) => message) : []
    expect(words.join(), name).not.toMatch(/preparsed|not found/)
  }
})

test('a condition may be as deep as the limit and not one deeper', async () => {
  // `!` nests the form once for each; `context.breakGlass` is two deep. Cedar itself allows four in
  // a row, so the depth is made of `&&`, which nests to the left.
  const terms = (count: number) => when(Array(count).fill('context.breakGlass').join(' && '))
  expect(await codeOf(terms(EXPRESSION_DEPTH_MAX - 1))).toBe('loaded')
  expect(await codeOf(terms(EXPRESSION_DEPTH_MAX))).toBe('policy_unparsable')
})

test('a file may have the most bytes and not one more', async () => {
  const padded = when('true').padEnd(FILE_BYTES_MAX, ' ')
  expect(await codeOf(padded)).toBe('loaded')
  expect(await codeOf(`${padded} `)).toBe('policy_too_large')
})

test('the sources may have the most bytes together and not one more', async () => {
  const file = (name: string, bytes: number) => ({
    file: name,
    text: `@id("${name}") permit (principal, action, resource);`.padEnd(bytes, ' '),
  })
  const rest = SOURCES_BYTES_MAX - FILE_BYTES_MAX - Buffer.byteLength(SCHEMA)
  const load = (extra: number) =>
    loadPolicySet({
      schema: SCHEMA,
      policies: [file('a', FILE_BYTES_MAX), file('b', rest + extra)],
    })
  expect((await load(0)).policies.size).toBe(2)
  await expect(load(1)).rejects.toMatchObject({ code: 'policy_too_large' })
})

test('a reader that takes too long is ended and the set refused', async () => {
  const sources = folderSources('policies')
  await expect(loadPolicySet(sources, { readTimeoutMs: 1 })).rejects.toMatchObject({
    code: 'policy_unparsable',
    message: 'no answer within 1 ms',
  })
})

test('the version is one for one content, whatever the order of the files', async () => {
  const sources = folderSources('policies')
  const turned = { ...sources, policies: [...sources.policies].reverse() }
  const [one, other] = await Promise.all([loadPolicySet(sources), loadPolicySet(turned)])
  expect(one.version).toMatch(/^[0-9a-f]{64}$/)
  expect(other.version).toBe(one.version)
})

test('the version changes with every part: a schema, a text, a file name', async () => {
  const base = { schema: SCHEMA, policies: [{ file: 'a.cedar', text: when('true') }] }
  const variants = [
    base,
    { ...base, schema: `${SCHEMA}\n` },
    { ...base, policies: [{ file: 'a.cedar', text: `${when('true')} ` }] },
    { ...base, policies: [{ file: 'b.cedar', text: when('true') }] },
  ]
  const sets = await Promise.all(variants.map((variant) => loadPolicySet(variant)))
  expect(new Set(sets.map((set) => set.version)).size).toBe(variants.length)
})
