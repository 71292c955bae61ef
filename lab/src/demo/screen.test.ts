import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { Screen, wrapped } from './screen.ts'

/** A screen on a stream, and what was written to it but for colours. */
function piped(terminal: { isTTY?: boolean; columns?: number } = {}) {
  const stream = new PassThrough()
  let text = ''
  stream.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  const screen = new Screen(Object.assign(stream, terminal))
  return { screen, text: () => text.replaceAll(COLOURS, '') }
}

/** Select Graphic Rendition, and no other control sequence. */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')

test('in a pipe a row is printed when it is over, with what customers got meanwhile', () => {
  const { screen, text } = piped()
  screen.step('agent', 'DeleteStack', ['"why"'])
  for (const isRight of [true, true, false]) screen.mark(isRight)
  expect(text()).toBe('')
  screen.step('operator', 'looks')
  const [row = '', below] = text().split('\n')
  expect(row).toBe(`  ${'agent'.padEnd(10)}${'DeleteStack'.padEnd(53)}··x`)
  expect(below).toBe(`${' '.repeat(12)}"why"`)
})

test('many questions are shown as fourteen marks, and none that failed is hidden', () => {
  const { screen, text } = piped()
  screen.step('agent', 'waits')
  for (let at = 0; at < 1000; at += 1) screen.mark(at !== 500)
  screen.end()
  const marks = text().trimEnd().slice(65)
  expect(marks.length).toBeLessThanOrEqual(14)
  expect(marks).toMatch(/^·+x·+$/)
})

test('only the row of the same actor is amended', () => {
  const { screen, text } = piped()
  screen.step('agent', 'UpdateItem')
  screen.amend('gate', (words) => `${words} no`)
  screen.amend('agent', (words) => `${words} → done`)
  screen.end()
  expect(text()).toBe('  agent     UpdateItem → done\n')
})

test('on a terminal the row under way is drawn again in its place, below what follows it', () => {
  const { screen, text } = piped({ isTTY: true, columns: 80 })
  screen.step('agent', 'DeleteStack', ['"why"'])
  screen.mark(true)
  expect(text()).toContain('\u001b[2A\r\u001b[2K')
  expect(text().endsWith('\u001b[2B\r')).toBe(true)
})

test('a terminal narrower than a row is treated like a pipe', () => {
  const { screen, text } = piped({ isTTY: true, columns: 79 })
  screen.step('agent', 'DeleteStack')
  screen.mark(true)
  screen.end()
  expect(text()).not.toContain('\u001b[1A')
})

test('text is wrapped at word ends', () => {
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrapped('one', 7)).toEqual(['one'])
})
