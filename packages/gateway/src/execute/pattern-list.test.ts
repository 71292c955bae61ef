// Lists of patterns under a budget: whatever the names and the room, every name stays covered, nothing of
// another service, region or account is, and the room is kept.
import { expect, test } from 'vitest'
import { covers } from '../describe/environments.ts'
import { fittedPatterns, iamPattern, listChars, policyText } from './pattern-list.ts'

/** A small generator with a seed, so that a failure can be run again. Source: Marsaglia 2003, xorshift. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const ALPHABET = ['a', 'b', '/', '-', '.', 'é', '漢', '😀', '"', '\\', '$', '{', '}', ' ']
const HEADS = [
  'arn:aws:s3:::',
  'arn:aws:dynamodb:eu-west-1:123456789012:table/',
  'arn:aws:dynamodb:eu-west-1:999988887777:table/',
  'arn:aws-cn:sqs:cn-north-1:123456789012:',
]

function names(next: (below: number) => number): string[] {
  const heads = HEADS.slice(0, 1 + next(HEADS.length))
  return Array.from({ length: 1 + next(60) }, () => {
    const letters = Array.from({ length: 1 + next(40) }, () => ALPHABET[next(ALPHABET.length)])
    return `${heads[next(heads.length)]}${letters.join('')}`
  })
}

/** What IAM reads: the escape undone, the rest as it is; `*` is the only wild character here. */
const read = (pattern: string) => pattern.replaceAll(iamPattern('$'), '$')
const headOf = (arn: string) => arn.split(':', 5).join(':')

test.each(Array.from({ length: 300 }, (_, seed) => seed + 1))('seed %i', (seed) => {
  const next = random(seed)
  const wanted = names(next)
  const room = 3 + next(3_000)
  const patterns = wanted.map(iamPattern)
  const list = fittedPatterns(patterns, room)
  if (list === null) {
    // Only where even the shortest beginnings, one for each head, do not fit.
    const heads = [...new Set(wanted.map((arn) => `${headOf(arn)}:`))]
    expect(listChars(heads.map((head) => `${head}xxxxxxxxxx*`))).toBeGreaterThan(room / 3)
    return
  }
  expect(listChars(list)).toBeLessThanOrEqual(room)
  for (const arn of wanted) expect(list.some((pattern) => covers(read(pattern), arn))).toBe(true)
  for (const pattern of list) expect(wanted.map(headOf)).toContain(headOf(pattern))
  for (const pattern of list) {
    expect(pattern.isWellFormed()).toBe(true)
    expect(pattern.replaceAll(iamPattern('$'), '')).not.toContain('$')
  }
})

test('names that fit are themselves, one character less of room widens them', () => {
  const patterns = ['arn:aws:s3:::b/one', 'arn:aws:s3:::b/only']
  const room = listChars(patterns)
  expect(fittedPatterns(patterns, room)).toEqual(patterns)
  expect(fittedPatterns(patterns, room - 1)).toEqual(['arn:aws:s3:::b/on*'])
})

test('the two with most in common are joined first', () => {
  const patterns = ['arn:aws:s3:::a/1', 'arn:aws:s3:::logs/2026/1', 'arn:aws:s3:::logs/2026/2']
  expect(fittedPatterns(patterns, listChars(patterns) - 1)).toEqual([
    'arn:aws:s3:::a/1',
    'arn:aws:s3:::logs/2026/*',
  ])
})

test('two accounts are never joined; where both do not fit there is only `*`, and that is said', () => {
  const patterns = ['arn:aws:sqs:eu-west-1:1:q', 'arn:aws:sqs:eu-west-1:2:q']
  expect(fittedPatterns(patterns, 30)).toBeNull()
})

test('one long name is cut to a beginning, never into its account', () => {
  const [cut] = fittedPatterns([`arn:aws:s3:::bucket/${'k'.repeat(3_000)}`], 500) ?? []
  expect(cut).toMatch(/^arn:aws:s3:::bucket\/k+\*$/)
  expect(fittedPatterns([`arn:aws:s3:::${'k'.repeat(100)}`], 10)).toBeNull()
})

test('a policy text is ASCII, and reads back as it was', () => {
  const json = JSON.stringify('é漢😀')
  expect(policyText(json)).toBe('"\\u00e9\\u6f22\\ud83d\\ude00"')
  expect(JSON.parse(policyText(json))).toBe('é漢😀')
})

test('2,000 long names take well under a second', () => {
  const next = random(7)
  const long = Array.from(
    { length: 2_000 },
    (_, at) => `arn:aws:s3:::data/${at % 50}/${'k'.repeat(900)}${next(1e9)}`,
  )
  const start = performance.now()
  expect(listChars(fittedPatterns(long, 1_500) ?? [])).toBeLessThanOrEqual(1_500)
  expect(performance.now() - start).toBeLessThan(2_000)
})
