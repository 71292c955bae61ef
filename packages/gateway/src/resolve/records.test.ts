import { expect, test } from 'vitest'
import { bindingRead } from './binding.ts'
import { MAX_RECORDS } from './records.ts'
import { resolve } from './resolve.ts'
import { awsAction, scriptedUpstream, xmlAnswer } from './scripted-upstream.fixture.ts'

/** https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html */
const listed = (inner: string) => ({
  'route53:GET':
    xmlAnswer(`<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
  <ResourceRecordSets>${inner}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems>
  </ListResourceRecordSetsResponse>`),
})
const WWW = `<ResourceRecordSet><Name>www.example.com.</Name><Type>A</Type><TTL>60</TTL>
  <ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`
const change = (verb: string, name: string, value: string) => ({
  Action: verb,
  ResourceRecordSet: { Name: name, Type: 'A', TTL: 60, ResourceRecords: [{ Value: value }] },
})

function evidenceOf(
  changes: ReturnType<typeof change>[],
  script: Parameters<typeof scriptedUpstream>[0],
) {
  const parameters = { HostedZoneId: 'Z1', ChangeBatch: { Changes: changes } }
  const action = awsAction('route53:ChangeResourceRecordSets', parameters)
  return resolve(action, scriptedUpstream(script))
}

test('H6 a record that leads elsewhere is shown as it is and as it would be, and stops what it serves', async () => {
  const evidence = await evidenceOf(
    [change('UPSERT', 'WWW.example.com', '198.51.100.7')],
    listed(WWW),
  )
  expect(evidence.addedEffects).toEqual(['stop'])
  expect(evidence.findings).toMatchObject([
    {
      type: 'record',
      name: 'www.example.com. A',
      fate: 'overwritten',
      holds: '`192.0.2.1`',
      notes: ['becomes `198.51.100.7`'],
    },
  ])
  expect(evidence.binding).toEqual({
    zone: 'Z1',
    records: [{ name: 'www.example.com.', type: 'A', set: null, now: ['192.0.2.1'] }],
  })
})

test('a record that stays as it is, or is new, stops nothing', async () => {
  const same = await evidenceOf([change('UPSERT', 'www.example.com', '192.0.2.1')], listed(WWW))
  expect(same.addedEffects).toEqual([])
  // The list begins at the name that was asked for, so that another one means there is none.
  const fresh = await evidenceOf([change('CREATE', 'new.example.com', '192.0.2.1')], listed(WWW))
  expect(fresh.addedEffects).toEqual([])
  expect(fresh.findings[0]).toMatchObject({ fate: 'created' })
  const gone = await evidenceOf([change('DELETE', 'www.example.com', '192.0.2.1')], listed(WWW))
  expect(gone.addedEffects).toEqual(['stop'])
})

test('a record that cannot be read may serve everybody', async () => {
  const evidence = await evidenceOf([change('UPSERT', 'www.example.com', '192.0.2.1')], {})
  expect(evidence.addedEffects).toEqual(['stop'])
  expect(bindingRead(evidence)).toBe(false)
})

test('records are looked at up to the limit, and past it none', async () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => change('UPSERT', `n${n}.example.com`, '192.0.2.1'))
  expect((await evidenceOf(many(MAX_RECORDS), listed(WWW))).findings).toHaveLength(MAX_RECORDS)
  const past = await evidenceOf(many(MAX_RECORDS + 1), listed(WWW))
  expect(past.findings).toEqual([])
  expect(bindingRead(past)).toBe(false)
})
