// Exports as they come: whole, packed, in UTF-16, several in one file, cut at any byte, and broken in every
// way that was thought of. What cannot be read is named, and nothing that it hides becomes a no.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  ACCOUNT,
  allow,
  arnOf,
  audited,
  document,
  exportOf,
  graphOf,
  group,
  managed,
  OTHER,
  role,
  trusts,
  user,
} from './estate.fixture.ts'
import { ENTRY_BYTES_MAX } from './export-entries.ts'
import { readOrganization } from './organization.ts'
import { readEstate } from './read-estate.ts'

const POLICY = arnOf('policy/deploy')
const LISTS = {
  users: [user({ name: 'ann', groups: ['ops'], attached: [POLICY] })],
  groups: [group({ name: 'ops', can: [allow('s3:*')] })],
  roles: [role({ name: 'ci', can: [allow('ec2:*')], tags: { team: 'a"}]' } })],
  policies: [managed(POLICY, document(allow('lambda:*')))],
}
const TEXT = exportOf(LISTS)

const read = (bytes: Uint8Array | string, name = 'a.json') =>
  readEstate([{ name, bytes: Buffer.from(bytes as string) }])
const kinds = (estate: ReturnType<typeof read>) => estate.faults.map(({ kind }) => kind)

describe('forms', () => {
  test.each([
    ['as printed', TEXT],
    ['indented', JSON.stringify(JSON.parse(TEXT), null, 4)],
    ['packed', gzipSync(TEXT)],
    ['with a byte order mark', `\u{feff}${TEXT}`],
    [
      'as PowerShell writes it',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(TEXT, 'utf16le')]),
    ],
    ['as a list of exports', `[${TEXT}]`],
  ])('%s', (_, bytes) => {
    const estate = readEstate([{ name: 'a.json', bytes: Buffer.from(bytes as string) }])
    expect(estate.faults).toEqual([])
    expect([...estate.identities.keys()]).toEqual([arnOf('user/ann'), arnOf('role/ci')])
    expect(estate.whole).toBe(true)
  })

  test('documents in percent encoding, as the API gives them', () => {
    const encoded = role({ name: 'ci', can: [allow('ec2:*')] })
    encoded.AssumeRolePolicyDocument = encodeURIComponent(
      JSON.stringify(encoded.AssumeRolePolicyDocument),
    )
    const estate = read(exportOf({ roles: [encoded] }))
    expect(estate.faults).toEqual([])
    expect(estate.identities.get(arnOf('role/ci'))?.trust).toMatchObject({ Version: '2012-10-17' })
  })

  test('several accounts as several files', () => {
    const other = exportOf({ roles: [role({ name: 'ci', account: OTHER })] })
    const estate = readEstate([
      { name: 'a.json', bytes: Buffer.from(TEXT) },
      { name: 'b.json', bytes: Buffer.from(other) },
    ])
    expect([...estate.accounts].sort()).toEqual([ACCOUNT, OTHER])
  })
})

describe('what is wrong has a name', () => {
  test('cut at every byte: what is whole before the cut is there, and the cut is named', () => {
    for (let at = 0; at < TEXT.length; at++) {
      const estate = read(TEXT.slice(0, at))
      expect([at, estate.whole]).toEqual([at, false])
      expect(kinds(estate)).toContain('cut')
      const isAnnWhole = at >= TEXT.indexOf('"GroupDetailList"')
      if (isAnnWhole) expect(estate.identities.has(arnOf('user/ann'))).toBe(true)
    }
  })

  test.each([
    ['broken', 'hello'],
    ['cut', '{"UserDetailList": [nonsense'],
    ['broken', `${TEXT}{}`],
    ['broken', '[1]'],
    ['missing_list', '{"UserDetailList": []}'],
    ['truncated_page', TEXT.replace('{', '{"IsTruncated": true, "Marker": "x", ')],
    ['unreadable_entry', TEXT.replace('"RoleName"', '"RoleName": "x", "RoleName"')],
    ['unreadable_entry', exportOf({ users: [{ UserName: 'no arn' }] })],
    ['unreadable_entry', exportOf({ users: [{ Arn: 'arn:aws:iam::*:user/x' }] })],
    ['unreadable_entry', exportOf({ policies: [{ Arn: POLICY, PolicyVersionList: [] }] })],
    [
      'unreadable_entry',
      '{"UserDetailList":{},"GroupDetailList":[],"RoleDetailList":[],"Policies":[]}',
    ],
    ['twice', exportOf({ users: [user({ name: 'a' }), user({ name: 'a', can: [allow('*')] })] })],
  ])('%s: %.60s', (kind, text) => {
    const estate = read(text)
    expect(kinds(estate)).toContain(kind)
    expect(estate.whole).toBe(false)
  })

  test('an entry past the limit is named, one at it is read', () => {
    const sized = (bytes: number) => {
      const entry = { ...user({ name: 'big' }), Pad: '' }
      const pad = 'x'.repeat(bytes - JSON.stringify(entry).length)
      return read(exportOf({ users: [{ ...entry, Pad: pad }] }))
    }
    expect(sized(ENTRY_BYTES_MAX).faults).toEqual([])
    expect(kinds(sized(ENTRY_BYTES_MAX + 1))).toEqual(['unreadable_entry'])
  })

  test('damaged gzip', () => {
    const packed = gzipSync(TEXT)
    expect(kinds(read(packed.subarray(0, packed.length - 9)))).toContain('broken')
  })

  test('the same entry twice with one content is one entry', () => {
    expect(read(exportOf({ users: [user({ name: 'a' }), user({ name: 'a' })] })).faults).toEqual([])
  })
})

describe('a principal that could not be read is a finding, and never silently clean', () => {
  const unreadFindings = (lists: Parameters<typeof audited>[0]) =>
    audited(lists).audit.findings.filter(({ rule }) => rule === 'roles/unread')

  test.each([
    ['a policy that is not in the export', { attached: [arnOf('policy/gone')] }],
    ['a boundary that is not in the export', { boundary: arnOf('policy/gone') }],
    [
      'a policy with an element that IAM does not have',
      { can: [{ Effect: 'Allow', Action: '*', Resource: '*', Where: 'x' }] },
    ],
    ['a group that is not in the export', { groups: ['gone'] }],
  ])('%s', (_, more) => {
    const [finding, second] = unreadFindings({ users: [user({ name: 'a', ...more })] })
    expect(second).toBe(undefined)
    expect(finding).toMatchObject({ severity: 'high', subject: arnOf('user/a') })
  })

  test('an inline policy that is text and not JSON', () => {
    const broken = user({ name: 'a', can: [allow('*')] })
    const policies = broken.UserPolicyList as { PolicyDocument: unknown }[]
    if (policies[0]) policies[0].PolicyDocument = '{"Version":'
    const [finding] = unreadFindings({ users: [broken] })
    expect(finding?.words).toContain('own')
  })

  test('its answers are open, neither yes nor no; but an explicit deny holds', () => {
    const target = role({
      name: 'target',
      can: [allow('*')],
      trust: [trusts({ AWS: arnOf('root') })],
    })
    const gone = [arnOf('policy/gone')]
    const way = (can: Parameters<typeof user>[0]['can']) =>
      [
        ...graphOf({
          users: [user({ name: 'a', attached: gone, ...(can && { can }) })],
          roles: [target],
        }).ways(arnOf('user/a')),
      ].find(([node]) => node.id === arnOf('role/target'))?.[1]
    expect(way([])?.truth).toBe('unknown')
    expect(way([])?.edges[0]?.dependsOn.join()).toContain('policy/gone')
    expect(way([{ ...allow('sts:*'), Effect: 'Deny' }])).toBe(undefined)
  })

  test('a role without a readable trust may be entered, and its reach is not written', () => {
    const roles = [role({ name: 'free', can: [allow('ec2:*')] }), role({ name: 'odd' })] as {
      AssumeRolePolicyDocument: unknown
    }[]
    if (roles[1]) roles[1].AssumeRolePolicyDocument = 'none'
    const { audit, reach } = audited({ roles })
    expect(reach).toBe(null)
    expect(audit.findings.map(({ rule }) => rule)).toContain('roles/unread')
  })
})

describe('organizations export', () => {
  const parse = (value: unknown) => readOrganization('org.json', Buffer.from(JSON.stringify(value)))
  const base = { ManagementAccountId: '999999999999', Policies: [], Targets: [] }
  test.each([
    ['not JSON', 'x'],
    ['no management account', { Policies: [], Targets: [] }],
    [
      'a policy that is not there',
      { ...base, Targets: [{ Id: ACCOUNT, ParentId: null, Policies: ['p-x'] }] },
    ],
    [
      'parents that lead nowhere',
      { ...base, Targets: [{ Id: ACCOUNT, ParentId: 'ou-x', Policies: [] }] },
    ],
    ['parents in a ring', { ...base, Targets: [{ Id: ACCOUNT, ParentId: ACCOUNT, Policies: [] }] }],
    [
      'a policy of unknown elements',
      {
        ...base,
        Policies: [
          { Id: 'p-1', Type: 'SERVICE_CONTROL_POLICY', Content: '{"Statement":[{"X":1}]}' },
        ],
      },
    ],
  ])('%s is a fault', (_, value) => {
    expect(parse(value).faults.length).toBeGreaterThan(0)
  })
  test('nothing holds for the management account', () => {
    const found = parse({
      ...base,
      Targets: [{ Id: '999999999999', ParentId: null, Policies: ['p-FullAWSAccess'] }],
    })
    expect(found.levels.get('999999999999')).toEqual({ scps: [], rcps: [] })
  })
})

test('whatever is changed in an export, it is read or named, and no answer is lost in silence', () => {
  let seed = 42
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  const bits = ['"', '{', '}', '[', ']', ',', 'null', '1', '\\', ' ', 'Allow', '*', '\u0000']
  for (let round = 0; round < 400; round++) {
    const at = random(TEXT.length)
    const changed =
      TEXT.slice(0, at) + (bits[random(bits.length)] ?? '') + TEXT.slice(at + random(4))
    const estate = read(changed)
    const isSame = estate.identities.size === 2
    expect([changed, isSame || estate.faults.length > 0]).toEqual([changed, true])
  }
})
