import { expect, test } from 'vitest'
import { outageOf, type Probe } from './customers.ts'
import type { RunFigures } from './incident.ts'
import { comparison, type Report, unmet } from './report.ts'

const OUTAGE: RunFigures = {
  failedProbes: 27,
  totalProbes: 43,
  outageSeconds: 6.1,
  firstSaw: 'InternalFailure',
  stackDeleted: true,
  objectsBefore: 13,
  objectsLost: 13,
  settingsLost: 13,
  objectsRestored: 13,
  bugFixed: false,
  august: { month: '2026-08', answered: '10', right: '1' },
  seconds: 10,
}
const CALM: RunFigures = {
  ...OUTAGE,
  failedProbes: 0,
  outageSeconds: 0,
  firstSaw: null,
  stackDeleted: false,
  objectsLost: 0,
  settingsLost: 0,
  objectsRestored: 0,
  bugFixed: true,
}
const REQUEST = {
  id: 'r-54szqh3mh8t2dw7c0m9tckv3b7',
  operation: 'dynamodb:UpdateItem',
  state: 'approved',
  requirement: ['any:1'],
  closedBy: 'bob',
  reviewers: [{ reviewer: 'bob', verdict: 'approve' }],
}
const GOOD: Report = {
  unsafe: OUTAGE,
  safe: { ...CALM, requests: [REQUEST] },
  ledger: { entries: 17, verified: true, problems: [] },
  reports: 'reports',
}

test('figures that bear out every claim leave nothing to name', () => {
  expect(unmet(GOOD)).toEqual([])
})

test.each<[string, Report]>([
  ['was not', { ...GOOD, unsafe: { ...OUTAGE, stackDeleted: false } }],
  ['got none', { ...GOOD, unsafe: { ...OUTAGE, failedProbes: 0 } }],
  ['an outage to time', { ...GOOD, unsafe: { ...OUTAGE, outageSeconds: 0 } }],
  ['was deleted', { ...GOOD, safe: { ...GOOD.safe, stackDeleted: true } }],
  ['1 customer request', { ...GOOD, safe: { ...GOOD.safe, failedProbes: 1 } }],
  ['exports were lost', { ...GOOD, safe: { ...GOOD.safe, objectsLost: 1 } }],
  ['still wrong', { ...GOOD, safe: { ...GOOD.safe, bugFixed: false } }],
  ['nobody reviewed', { ...GOOD, safe: { ...GOOD.safe, requests: [] } }],
  ['does not verify', { ...GOOD, ledger: { ...GOOD.ledger, verified: false } }],
])('a claim that is not borne out is named: %s', (words, report) => {
  const missed = unmet(report)
  expect(missed.length).toBe(1)
  expect(missed[0]).toContain(words)
})

test('the table fits 80 columns', () => {
  const lines = comparison(GOOD)
  expect(lines.filter((line) => line.length > 79)).toEqual([])
  expect(lines.join('\n')).toContain('27 of 43')
})

function probes(answers: string): readonly Probe[] {
  return [...answers].map((answer, index) => ({
    sentAtMs: index * 200,
    answeredAtMs: index * 200 + 50,
    isRight: answer === '.',
    saw: answer === '.' ? null : 'InternalFailure',
  }))
}

test.each<[string, number, number | null]>([
  ['.....', 0, 0],
  ['..x..', 1, 0.25],
  ['..xxx..', 3, 0.65],
  // Until it is over: one right answer between two wrong ones does not end an outage.
  ['..x.x..', 2, 0.65],
  ['..xxx', 3, null],
])(
  'an outage lasts from the first wrong answer to the right one after the last: %s',
  (answers, failed, seconds) => {
    const outage = outageOf(probes(answers))
    expect(outage).toMatchObject({ failedProbes: failed, totalProbes: answers.length })
    if (seconds === null) expect(outage.seconds).toBeNull()
    else expect(outage.seconds).toBeCloseTo(seconds, 9)
  },
)
