// How many series one metric may have, where a value falls, and how a label is written.
import { expect, test } from 'vitest'
import { exposition } from './exposition.ts'
import { Counter, Histogram, OTHER, Registry, SERIES_MAX } from './metric.ts'

test('a metric takes so many series; what would be one more, or is too long, is counted under `other`', () => {
  const counter = new Counter({ name: 'calls', help: 'x', labels: ['name', 'kind'] })
  for (let count = 0; count < SERIES_MAX; count++) counter.add([`n${count}`, 'a'])
  expect(counter.samples()).toHaveLength(SERIES_MAX)
  for (let count = 0; count < 50; count++) counter.add([`more${count}`, 'a'])
  counter.add(['x'.repeat(65), 'a'])
  counter.add(['n0', 'a'])
  const samples = counter.samples()
  expect(samples).toHaveLength(SERIES_MAX + 1)
  const countOf = (name: string) => samples.find(({ labels }) => labels[0]?.[1] === name)?.value
  expect([countOf(OTHER), countOf('n0')]).toEqual([51, 2])
})

test('a value is in the bucket whose end it is, and in every wider one', () => {
  const histogram = new Histogram({ name: 'seconds', help: 'x' }, [1, 2.5])
  for (const value of [0, 1, 1.1, 2.5, 9]) histogram.observe(value)
  const shown = histogram
    .samples()
    .map(({ suffix, labels, value }) => [suffix, labels[0]?.[1], value])
  expect(shown).toEqual([
    ['_bucket', '1.0', 2],
    ['_bucket', '2.5', 4],
    ['_bucket', '+Inf', 5],
    ['_count', undefined, 5],
    ['_sum', undefined, 13.6],
  ])
})

test('quotes, backslashes and line ends in a label are written so that no reader takes them for anything else', () => {
  const registry = new Registry()
  const counter = registry.add(new Counter({ name: 'x', help: 'a\\b', labels: ['y'] }))
  counter.add(['a"b\\c\nd'])
  expect(exposition(registry.families(), 'openmetrics')).toBe(
    '# HELP x a\\\\b\n# TYPE x counter\nx_total{y="a\\"b\\\\c\\nd"} 1\n# EOF\n',
  )
  expect(() => registry.add(new Counter({ name: 'x', help: '' }))).toThrow('there already')
})
