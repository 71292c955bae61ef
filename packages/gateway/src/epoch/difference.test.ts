// What somebody reads before they sign a new epoch: every line that goes or comes, and nothing of another version.
import { expect, test } from 'vitest'
import { sha256Hex } from '../lib/canonical-json.ts'
import { checkedCandidate, type EpochCandidate } from './difference.ts'

const BASE = {
  schema: 'entity Agent;\n',
  policies: [{ file: 'a.cedar', text: 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n' }],
  environments: [{ name: 'production', accounts: ['1'], mode: 'enforce' }],
  roles: {},
  build: 'ab',
}

function offered(next: object, changes: Partial<EpochCandidate> = {}): EpochCandidate {
  const [activeText, text] = [JSON.stringify(BASE), JSON.stringify({ ...BASE, ...next })]
  const [active, version] = [sha256Hex(activeText), sha256Hex(text)]
  return { from: 1, version, active, text, activeText, signers: [], ...changes }
}

const shown = (next: object) =>
  checkedCandidate(offered(next)).map(({ what, lines }) => [
    what,
    ...lines.map(({ mark, text }) => `${mark} ${text}`),
  ])

test('the same text differs in nothing', () => {
  expect(shown({})).toEqual([])
})

test('a line changed in the middle is shown with three lines around it', () => {
  const text = BASE.policies[0]?.text.replace('five', 'FIVE') ?? ''
  expect(shown({ policies: [{ file: 'a.cedar', text }] })).toEqual([
    [
      'policies/a.cedar',
      '… 1 unchanged line',
      ...['  two', '  three', '  four', '- five', '+ FIVE', '  six', '  seven', '  eight'],
      '… 2 unchanged lines',
    ],
  ])
})

test('a file that goes, one that comes, and what is no policy are all shown', () => {
  const policies = [{ file: 'b.cedar', text: 'new' }]
  expect(shown({ policies, breakGlass: true })).toEqual([
    ['breakGlass', '+ true'],
    ['policies/a.cedar', ...(BASE.policies[0]?.text.split('\n') ?? []).map((line) => `- ${line}`)],
    ['policies/b.cedar', '+ new'],
  ])
})

test('the lines that go and stay are those of the old text, and those that come and stay of the new one', () => {
  const letters = (seed: number) =>
    Array.from({ length: 40 }, (_, at) => 'abc'[(seed * (at + 7) * 31 + at * seed) % 3]).join('\n')
  for (let seed = 1; seed < 60; seed++) {
    const [old, now] = [letters(seed), letters(seed + 1)]
    const candidate = (text: string) => JSON.stringify({ ...BASE, schema: text, policies: [] })
    const [activeText, text] = [candidate(old), candidate(now)]
    const [active, version] = [sha256Hex(activeText), sha256Hex(text)]
    const given = { from: 1, signers: [], activeText, text, active, version }
    const lines = checkedCandidate(given)[0]?.lines ?? []
    const comes = lines.filter(({ mark }) => mark === '+').map((line) => line.text)
    const goes = lines.filter(({ mark }) => mark === '-').map((line) => line.text)
    const sorted = (text: string) => text.split('\n').sort().join('')
    expect(sorted([...now.split('\n'), ...goes].join('\n'))).toBe(
      sorted([...old.split('\n'), ...comes].join('\n')),
    )
  }
})

test('H3 a gate that shows another text than it wants signed is caught', () => {
  const other = JSON.stringify({ ...BASE, build: 'cd' })
  for (const lie of [{ text: other }, { version: 'ab'.repeat(32) }, { activeText: other }]) {
    expect(() => checkedCandidate(offered({ build: 'ef' }, lie))).toThrow('do not sign it')
  }
})
