// What leaves an audit: SARIF as its schema asks for, a page that needs and runs nothing, and words in which
// no name from an export is more than a name.
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html sections 3.14 to 3.49
import { expect, test } from 'vitest'
import { allow, arnOf, audited, role, trusts, user } from '../estate.fixture.ts'
import { RULES } from '../rules.ts'
import { drawingOf } from './drawing.ts'
import { DRAWN_MAX } from './graph-layout.ts'
import { pageOf } from './page.ts'
import { sarifOf } from './sarif.ts'
import { terminalLines } from './terminal.ts'

const EVIL = '<script>alert(1)</script>"\'&\u202e\u001b[31m'
const LISTS = {
  users: [user({ name: EVIL, can: [allow('iam:PutUserPolicy')], tags: { [EVIL]: EVIL } })],
  roles: [
    role({ name: 'admin', can: [allow('*')], trust: [trusts({ AWS: arnOf('root') })] }),
    role({ name: 'ci', can: [allow('sts:AssumeRole')], trust: [trusts('*')] }),
  ],
}
const { audit } = audited(LISTS, { agents: ['ci'] })
const plain = { toned: (_: string, text: string) => text, rows: 50, width: 100 }

interface Sarif {
  $schema: string
  version: string
  runs: {
    tool: {
      driver: {
        name: string
        rules: {
          id: string
          shortDescription: { text: string }
          helpUri: string
          defaultConfiguration: { level: string }
        }[]
      }
    }
    results: {
      ruleId: string
      ruleIndex: number
      level: string
      message: { text: string }
      locations: {
        physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } }
      }[]
      partialFingerprints: Record<string, string>
    }[]
  }[]
}

test('SARIF: what the schema asks of a log, a run, its rules and results', () => {
  const sarif = JSON.parse(JSON.stringify(sarifOf(audit, 'a folder/authz.json', '1.0.0'))) as Sarif
  expect(sarif.version).toBe('2.1.0')
  expect(Object.keys(sarif).sort()).toEqual(['$schema', 'runs', 'version'])
  const [run] = sarif.runs
  const rules = run?.tool.driver.rules ?? []
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length)
  for (const { id, shortDescription, helpUri, defaultConfiguration } of rules) {
    expect(Object.keys(RULES)).toContain(id)
    expect(shortDescription.text).toMatch(/^[A-Z].*\.$/)
    expect(new URL(helpUri).protocol).toBe('https:')
    expect(['none', 'note', 'warning', 'error']).toContain(defaultConfiguration.level)
  }
  expect(run?.results).toHaveLength(audit.findings.length)
  for (const result of run?.results ?? []) {
    expect(rules[result.ruleIndex]?.id).toBe(result.ruleId)
    expect(['none', 'note', 'warning', 'error']).toContain(result.level)
    expect(result.message.text.length).toBeGreaterThan(0)
    const [location] = result.locations
    expect(location?.physicalLocation.artifactLocation.uri).toBe('a%20folder/authz.json')
    expect(location?.physicalLocation.region.startLine).toBeGreaterThan(0)
  }
})

test('SARIF: a finding keeps its fingerprint from run to run, and no two share one', () => {
  const prints = () =>
    (sarifOf(audited(LISTS, { agents: ['ci'] }).audit, 'x', '2') as Sarif).runs[0]?.results.map(
      (each) => each.partialFingerprints['seconderRoles/v1'],
    ) ?? []
  expect(prints()).toEqual(prints())
  expect(new Set(prints()).size).toBe(prints().length)
})

test('the page loads and runs nothing, and no name becomes mark-up', () => {
  const page = pageOf(audit, '2026-11-26T00:00:00Z')
  expect(page).not.toMatch(/<script|<img|<link|<iframe|\son\w+=|javascript:|@import|url\((?!#)/i)
  expect(page).toContain("default-src 'none'")
  expect(page).toContain('&lt;script&gt;')
  expect(page).not.toContain('\u202e')
  expect(page).not.toContain('\u001b')
  // Addresses stand only where a reader may click.
  const addresses = [...page.matchAll(/(src|href|action)="([^"]*)"/g)].map(([, name]) => name)
  expect(new Set(addresses)).toEqual(new Set(['href']))
  const opened = [...page.matchAll(/<(section|details|div|table|ol|ul|pre|p|svg|g)\b/g)].length
  const closed = [...page.matchAll(/<\/(section|details|div|table|ol|ul|pre|p|svg|g)>/g)].length
  expect(opened).toBe(closed)
  expect(page).toMatch(/prefers-color-scheme:dark/)
  expect(page).toMatch(/@media print/)
})

test('an empty audit is a page and words too', () => {
  const { audit: none } = audited({ users: [user({ name: 'idle' })] })
  expect(drawingOf(none)).toBe(null)
  expect(pageOf(none, '2026-11-26T00:00:00Z')).toContain('Nothing was found.')
  expect(terminalLines(none, plain).join('\n')).toContain('Nothing found.')
})

test('the drawing has as many boxes as it says, and the rest is counted', () => {
  const many = Array.from({ length: DRAWN_MAX + 9 }, (_, index) =>
    role({ name: `r${index}`, can: [allow('sts:AssumeRole')] }),
  )
  const { audit: big } = audited({ roles: [...many, ...LISTS.roles] })
  const drawing = drawingOf(big)
  expect(drawing?.drawn).toBe(DRAWN_MAX)
  expect((drawing?.drawn ?? 0) + (drawing?.left ?? 0)).toBe(DRAWN_MAX + 11)
  expect([...(drawing?.svg ?? '').matchAll(/<rect/g)]).toHaveLength(DRAWN_MAX)
})

test('the terminal shows names as what they are', () => {
  const words = terminalLines(audit, plain).join('\n')
  expect(words).not.toContain('\u001b')
  expect(words).not.toContain('\u202e')
  expect(words).toContain('\\u{202e}')
  expect(words).toContain('agent')
})
