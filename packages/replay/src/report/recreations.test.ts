// A deletion is compared with what comes within seven days, over the borders of slices, which are not kept for it.

import { expect, test } from 'vitest'
import { RECREATED_WITHIN_SECONDS, Recreations } from './recreations.ts'
import type { Deed } from './report.ts'

const THING = 'arn:aws:dynamodb:eu-west-1:111122223333:table/orders'
const keys = [{ noun: 'Table', thing: THING }]
const deed = (eventId: string) => ({ eventId }) as Deed

test('once a slice is settled none of its deeds is asked for, and they are found all the same', () => {
  const recreations = new Recreations()
  let isOpen = true
  recreations.see({ does: 'deletes', keys }, 1_000, () => {
    if (!isOpen) throw new Error('the slice has gone')
    return deed('deleted')
  })
  recreations.settle(1_000)
  isOpen = false
  recreations.settle(1_000 + RECREATED_WITHIN_SECONDS)
  recreations.see({ does: 'creates', keys }, 1_000 + RECREATED_WITHIN_SECONDS, () =>
    deed('created'),
  )
  expect(recreations.found).toMatchObject([
    { thing: THING, deleted: { eventId: 'deleted' }, created: { eventId: 'created' } },
  ])
})

test('what is older than seven days is forgotten, as it is never found', () => {
  const recreations = new Recreations()
  recreations.see({ does: 'deletes', keys }, 1_000, () => deed('deleted'))
  const late = 1_001 + RECREATED_WITHIN_SECONDS
  recreations.settle(late)
  recreations.see({ does: 'creates', keys }, late, () => deed('created'))
  expect(recreations.count).toBe(0)
})
