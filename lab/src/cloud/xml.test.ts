import { expect, test } from 'vitest'
import { readXml, writeXml, XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX } from './xml.ts'

function read(text: string) {
  return readXml(Buffer.from(text))
}

const MALFORMED = expect.objectContaining({ code: 'MalformedXML' })

test('what is written reads back, special characters included', () => {
  const text = `a<b>&"c' é`
  const root = read(writeXml('Delete', { Object: [{ Key: text }, { Key: 'x' }], Quiet: true }))
  expect(root.name).toBe('Delete')
  expect(root.children.map((child) => child.name)).toEqual(['Object', 'Object', 'Quiet'])
  expect(root.children[0]?.children[0]?.text).toBe(text)
})

test('a declaration, a namespace and empty elements are read', () => {
  const root = read('<?xml version="1.0"?><A xmlns="http://s3/"><B/><C></C>&#65;&#x42;</A>')
  expect(root.children.length).toBe(2)
  expect(root.text).toBe('AB')
})

test('what is not one plain document is refused', () => {
  const odd = [
    '',
    'text',
    '<A>',
    '<A></B>',
    '</A>',
    '<A/><B/>',
    '<A/>text',
    '<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>',
    '<A>&x;</A>',
    '<A>&amp</A>',
    '<A><!-- c --></A>',
    '<A><![CDATA[x]]></A>',
    '<A>&#x110000;</A>',
  ]
  for (const text of odd) expect(() => read(text), text).toThrowError(MALFORMED)
})

test('depth, count and size are bounded', () => {
  const deep = (depth: number) => '<A>'.repeat(depth) + '</A>'.repeat(depth)
  expect(read(deep(XML_DEPTH_MAX)).name).toBe('A')
  expect(() => read(deep(XML_DEPTH_MAX + 1))).toThrowError(MALFORMED)
  const wide = (count: number) => `<A>${'<B/>'.repeat(count - 1)}</A>`
  expect(read(wide(XML_ELEMENTS_MAX)).children.length).toBe(XML_ELEMENTS_MAX - 1)
  expect(() => read(wide(XML_ELEMENTS_MAX + 1))).toThrowError(MALFORMED)
  const long = (bytes: number) => `<A>${'x'.repeat(bytes - 7)}</A>`
  expect(read(long(XML_BYTES_MAX)).text.length).toBe(XML_BYTES_MAX - 7)
  expect(() => read(long(XML_BYTES_MAX + 1))).toThrowError(MALFORMED)
})
