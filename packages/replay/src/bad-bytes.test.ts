// Trails with bytes changed, cut out and put in, from a seed: nothing throws, every event that is read is
// counted once, and no change is ever allowed, whatever became of its bytes.

import { beforeAll, expect, test } from 'vitest'
import type { Who } from './event/who.ts'
import { judgementOf } from './judge/judge.ts'
import type { Judgement } from './judge/judgement.ts'
import { loadRules } from './judge/load-rules.ts'
import type { Rules } from './judge/rules.ts'
import { eventsOf, SAMPLE } from './made-trail/made-trail.ts'
import { Random } from './made-trail/random.ts'
import { CallBook } from './store/call-book.ts'
import { Gatherer } from './store/gatherer.ts'
import type { KnownCall } from './store/known-call.ts'
import { isLook } from './store/known-call.ts'
import { ordered } from './store/ordered.ts'
import { type Chunk, ROW_WORDS } from './store/row.ts'
import { PlainWalker } from './trail/event-walker.ts'
import { RecordReader } from './trail/records.ts'

const ROUNDS = 120
let rules: Rules
beforeAll(async () => {
  rules = await loadRules()
})

function mutated(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text)
  const at = () => random.below(bytes.length)
  for (let times = random.below(6); times >= 0; times--) {
    const from = at()
    switch (random.below(5)) {
      case 0:
        bytes[from] = random.below(256)
        break
      case 1:
        bytes[from] = '"\\{}[],:'.charCodeAt(random.below(8))
        break
      case 2:
        return Buffer.concat([
          bytes.subarray(0, from),
          bytes.subarray(Math.min(bytes.length, from + random.below(200))),
        ])
      case 3:
        bytes.copy(bytes, at(), from, from + random.below(300))
        break
      default:
        return bytes.subarray(0, from)
    }
  }
  return bytes
}

test('whatever became of the bytes: nothing throws, all is counted, and no change is allowed', () => {
  const random = new Random(2025)
  const events = [...eventsOf({ ...SAMPLE, events: 60 })].map(({ text }) => text)
  for (let round = 0; round < ROUNDS; round++) {
    const form = random.below(2) === 0 ? `{"Records":[${events.join(',')}]}` : events.join('\n')
    const bytes = mutated(form, random)
    const chunks: Chunk[] = []
    const gatherer = new Gatherer((chunk) => chunks.push(chunk))
    const reader = new RecordReader(new PlainWalker(gatherer.take))
    const cut = random.below(bytes.length + 1)
    reader.push(bytes.subarray(0, cut))
    reader.push(bytes.subarray(cut))
    reader.end()
    gatherer.flush()
    const rows = chunks.reduce((sum, { count }) => sum + count, 0)
    expect(rows).toBe(reader.events)
    for (const { rows: all, count, whos } of chunks) {
      expect(ordered(all.subarray(0, count * ROW_WORDS)).columns.count).toBeLessThanOrEqual(count)
      for (const who of whos) expect((JSON.parse(who) as Who).principal).not.toBe('')
    }
    const book = new CallBook()
    for (const raw of chunks.flatMap(({ calls }) => calls)) book.idOf(raw)
    for (const text of book.texts) {
      const known = JSON.parse(text) as KnownCall
      const judgement: Judgement = judgementOf(text, undefined, rules)
      if (judgement.answer !== 'allowed') continue
      expect(known.is === 'call' && isLook(known.meaning.effects), judgement.operation).toBe(true)
    }
  }
})
