// The page of a report: whole, with nothing in it that loads, runs or was written by whoever wrote the trail.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadRules } from '../judge/load-rules.ts'
import { SAMPLE, writeTrail } from '../made-trail/made-trail.ts'
import { openTrail, reportOn } from '../replay.ts'
import { htmlReport } from './html.ts'
import type { Report } from './report.ts'
import { terminalLines } from './terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-page-'))
let report: Report

/** Everything a trail lets its writer choose, as an attack on who reads the report. */
const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(1)>\u001b[2J\u202e\u0007`

beforeAll(async () => {
  writeTrail(folder, SAMPLE)
  const hostile = {
    eventTime: '2025-12-02T10:00:00Z',
    eventID: 'dddddddd-0000-4000-8000-000000000001',
    eventType: 'AwsApiCall',
    eventSource: 'dynamodb.amazonaws.com',
    eventName: 'DeleteTable',
    awsRegion: HOSTILE,
    recipientAccountId: '123456789012',
    userAgent: HOSTILE,
    requestParameters: { tableName: HOSTILE },
    userIdentity: { type: 'IAMUser', arn: HOSTILE, accountId: HOSTILE },
  }
  const unknown = { ...hostile, eventID: HOSTILE, eventSource: HOSTILE, eventName: HOSTILE }
  writeFileSync(
    join(folder, `x-${HOSTILE.replaceAll('/', '')}.json`),
    JSON.stringify([hostile, unknown]).slice(0, -1),
  )
  const trail = await openTrail([folder], { workers: 1 })
  report = reportOn(trail, { rules: await loadRules() })
  trail.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

test('nothing of a trail is markup, and nothing is loaded or run', () => {
  const html = htmlReport(report)
  expect(html).toContain('alert(1)')
  expect(html).not.toMatch(/<(script|img|iframe|link|object|embed|base|form|a)\b/i)
  expect(html).not.toMatch(/<[^>]*\s(on\w+|src|href|action|srcset|style)\s*=/i)
  expect(html).not.toMatch(/url\(|@import|https?:/i)
  expect(html).toContain("default-src 'none'")
  const controls = [...html].filter((letter) => letter !== '\n' && letter < ' ')
  expect(controls).toEqual([])
  expect(html).not.toContain('\u202e')
})

test('every element that is opened is closed, in order', () => {
  const open: string[] = []
  const html = htmlReport(report).replace(/<!doctype html>|<meta[^>]*>/g, '')
  for (const [, close = '', name = '', self = ''] of html.matchAll(
    /<(\/?)([a-z0-9]+)[^<>]*?(\/?)>/g,
  )) {
    if (self === '/') continue
    if (close === '') open.push(name)
    else expect(open.pop()).toBe(name)
  }
  expect(open).toEqual([])
})

test('it says what cannot be proved before anything else, and the deed before the price', () => {
  const html = htmlReport(report)
  const places = [
    'What this trail cannot prove',
    'December would have been asked',
    'reviews a week',
    '<svg',
  ].map((words) => html.indexOf(words))
  expect(places.every((place) => place > 0)).toBe(true)
  expect([...places].sort((a, b) => a - b)).toEqual(places)
  expect(html).toContain('prefers-color-scheme:dark')
  expect(html).toContain('@media print')
})

test('the terminal gets no control of its own from a trail', () => {
  const text = terminalLines(report, { toned: (_, words) => words, rows: 50 }).join('')
  expect([...text].filter((letter) => letter < ' ')).toEqual([])
  expect(text).not.toContain('\u202e')
  expect(text).toContain('alert(1)')
})
