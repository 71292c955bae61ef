import { expect, test } from 'vitest'
import { listing, NO_OBJECT_LOCK, versioning } from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { isPlainBucket, MAX_OBJECT_PAGES } from './bucket.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  type Script,
  s3Error,
  scriptedUpstream,
  xmlAnswer,
} from './scripted-upstream.fixture.ts'

const LIST = 's3:GET /reports?list-type=2&max-keys=1000'
const PLAIN = {
  's3:GET /reports?versioning': versioning(null),
  's3:GET /reports?object-lock': NO_OBJECT_LOCK,
  [LIST]: listing(13, 3_692_307, null),
}
const DELETE = awsAction('s3:DeleteBucket', { Bucket: 'reports' }, ['destroy'])

const look = (action: typeof DELETE, script: Script) =>
  resolve(action, scriptedUpstream(script), { deadlineMs: 1000 })

test('a bucket without versions is shown with its objects and cannot be undone', async () => {
  const evidence = await look(DELETE, PLAIN)
  expect(evidence).toEqual({
    binding: { bucket: { name: 'reports', versioning: 'off', mfaDelete: false } },
    findings: [
      {
        type: 'bucket',
        name: 'reports',
        holds: '13 objects · 48 MB',
        holdsData: true,
        protectedFromDeletion: false,
        lastBackup: 'versions off',
        undo: 'no',
        fate: 'deleted',
      },
    ],
    couldNotLook: [],
    addedEffects: ['destroy'],
    before: null,
  })
})

test('objects are counted to the last page within the limit, and past it are more than that', async () => {
  const pages = (count: number): Script => {
    const script: Record<string, ReturnType<typeof listing>> = {}
    for (let page = 0; page < count; page += 1) {
      const from = page === 0 ? '' : `&continuation-token=t${page}`
      script[`${LIST}${from}`] = listing(1000, 1000, page + 1 < count ? `t${page + 1}` : null)
    }
    return { ...PLAIN, ...script }
  }
  const at = await look(DELETE, pages(MAX_OBJECT_PAGES))
  expect(at.findings[0]?.holds).toBe('5,000 objects · 5.0 MB')
  const past = await look(DELETE, pages(MAX_OBJECT_PAGES + 1))
  expect(past.findings[0]?.holds).toBe('more than 5,000 objects · more than 5.0 MB')
  expect(past.findings[0]?.holdsData).toBe(true)
})

test('a count that breaks off says at least, and what could not be read', async () => {
  const evidence = await look(DELETE, { ...PLAIN, [LIST]: listing(1000, 1, 'denied-from-here') })
  expect(evidence.findings[0]?.holds).toBe('at least 1,000 objects · 1.0 kB')
  expect(evidence.couldNotLook).toEqual([
    'could not read all objects of bucket `reports`: the role of this session may not look',
  ])
})

test('an empty bucket with versions may hold older ones; without, it holds nothing', async () => {
  const empty = { ...PLAIN, [LIST]: listing(0, 0, null) }
  expect((await look(DELETE, empty)).findings[0]).toMatchObject({
    holds: '0 objects · 0 bytes',
    holdsData: false,
    undo: 'yes',
  })
  const versioned = { ...empty, 's3:GET /reports?versioning': versioning('Enabled') }
  const versions = (inner: string) => ({
    ...versioned,
    's3:GET /reports?versions&max-keys=1000': xmlAnswer(
      `<ListVersionsResult><IsTruncated>false</IsTruncated>${inner}</ListVersionsResult>`,
    ),
  })
  const older = '<Version><Key>a</Key><VersionId>1</VersionId></Version>'
  expect((await look(DELETE, versions(older))).findings[0]).toMatchObject({
    holds: 'no current objects, older versions of some',
    holdsData: true,
  })
  const marker = '<DeleteMarker><Key>a</Key><VersionId>1</VersionId></DeleteMarker>'
  expect((await look(DELETE, versions(marker))).findings[0]?.holdsData).toBe(false)
  expect((await look(DELETE, versioned)).findings[0]).toMatchObject({
    holdsData: null,
    undo: 'unknown',
  })
})

test('object lock protects; a refusal to say leaves it unknown', async () => {
  const locked = xmlAnswer(
    '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>',
  )
  const of = async (answer: Script) =>
    (await look(DELETE, { ...PLAIN, ...answer })).findings[0]?.protectedFromDeletion
  expect(await of({ 's3:GET /reports?object-lock': locked })).toBe(true)
  expect(await of({ 's3:GET /reports?object-lock': s3Error('AccessDenied', 403) })).toBe(null)
  expect(await of({ 's3:GET /reports?object-lock': s3Error('NotImplemented', 501) })).toBe(false)
})

test('a bucket whose versioning may not be read is unread, what was counted still shown', async () => {
  const evidence = await look(DELETE, { [LIST]: listing(2, 10, null) })
  expect(bindingRead(evidence)).toBe(false)
  expect(evidence.findings[0]).toMatchObject({
    holds: '2 objects · 20 bytes',
    holdsData: true,
    undo: 'unknown',
  })
})

test('a bucket that does not exist is said so', async () => {
  const gone = s3Error('NoSuchBucket', 404)
  const evidence = await look(DELETE, {
    's3:GET /reports?versioning': gone,
    's3:GET /reports?object-lock': gone,
    [LIST]: gone,
  })
  expect(evidence.binding).toEqual({ bucket: { name: 'reports', absent: true } })
  expect(evidence.addedEffects).toEqual([])
  expect(evidence.couldNotLook).toEqual([])
})

test('a document type in an answer is not read', async () => {
  const evil = {
    ...xmlAnswer(''),
    body: new TextEncoder().encode(
      '<!DOCTYPE x [<!ENTITY e "Enabled">]><VersioningConfiguration><Status>&e;</Status></VersioningConfiguration>',
    ),
  }
  const evidence = await look(DELETE, { ...PLAIN, 's3:GET /reports?versioning': evil })
  expect(evidence.binding).toEqual({ bucket: { name: 'reports', unread: 'no answer' } })
})

test('H6: suspending versioning loses data to come; enabling it does not', async () => {
  const put = (Status: string) =>
    awsAction('s3:PutBucketVersioning', { Bucket: 'reports', VersioningConfiguration: { Status } })
  const on = { ...PLAIN, 's3:GET /reports?versioning': versioning('Enabled') }
  const suspended = await look(put('Suspended'), on)
  expect(suspended.addedEffects).toEqual(['destroy'])
  expect(suspended.before).toEqual({ versioning: 'Enabled' })
  expect((await look(put('Enabled'), PLAIN)).addedEffects).toEqual([])
})

test('the lifecycle rules that are there now are bound', async () => {
  const put = awsAction('s3:PutBucketLifecycleConfiguration', { Bucket: 'reports' })
  const rules = (days: number) =>
    xmlAnswer(
      `<LifecycleConfiguration><Rule><ID>old</ID><Expiration><Days>${days}</Days></Expiration></Rule></LifecycleConfiguration>`,
    )
  const of = (answer: Script) => look(put, { ...PLAIN, ...answer })
  const thirty = await of({ 's3:GET /reports?lifecycle': rules(30) })
  expect(sameBinding(thirty, await of({ 's3:GET /reports?lifecycle': rules(30) }))).toBe(true)
  expect(sameBinding(thirty, await of({ 's3:GET /reports?lifecycle': rules(1) }))).toBe(false)
  const none = await of({
    's3:GET /reports?lifecycle': s3Error('NoSuchLifecycleConfiguration', 404),
  })
  expect(none.binding['lifecycle']).toEqual({ absent: true })
  expect(bindingRead(none)).toBe(true)
})

test('only a plain name is a bucket that can be looked at, and nothing else is sent', async () => {
  expect(isPlainBucket('reports.2026')).toBe(true)
  for (const name of ['..', 'a', '*', 'a/b', 'reports?x', 'fast--eun1-az1--x-s3', '']) {
    expect([name, isPlainBucket(name)]).toEqual([name, false])
  }
  const upstream = scriptedUpstream(PLAIN)
  const action = awsAction('s3:DeleteBucket', {
    Bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/finance',
  })
  const evidence = await resolve(action, upstream, { deadlineMs: 1000 })
  expect(upstream.asked).toEqual([])
  expect(bindingRead(evidence)).toBe(false)
})
