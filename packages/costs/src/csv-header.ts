// Reads the header line of a CSV file, so that DuckDB need not guess at the file's shape.
// Syntax: RFC 4180.

import { CostStoreError } from './errors.ts'

export const COLUMNS_MAX = 500
export const HEADER_BYTES_MAX = 64 * 1024

/** The column names of the first line. Errors: `malformed_header`, `too_large`. */
export function readCsvHeader(start: Uint8Array): readonly string[] {
  const text = new TextDecoder('utf-8').decode(start.subarray(0, HEADER_BYTES_MAX))
  const names: string[] = []
  let at = 0
  for (;;) {
    const field = readField(text, at, start.byteLength)
    names.push(field.value)
    if (names.length > COLUMNS_MAX) {
      throw new CostStoreError('too_large', `the header has more than ${COLUMNS_MAX} columns`)
    }
    if (text[field.end] !== ',') return checkNames(names)
    at = field.end + 1
  }
}

function readField(text: string, start: number, fileBytes: number): { value: string; end: number } {
  if (text[start] === '"') {
    let value = ''
    for (let at = start + 1; at < text.length; at += 1) {
      if (text[at] !== '"') value += text[at]
      else if (text[at + 1] === '"') {
        value += '"'
        at += 1
      } else return { value, end: at + 1 }
    }
    throw new CostStoreError('malformed_header', 'a quoted name in the header does not end')
  }
  const length = text.slice(start).search(/[,\r\n]/)
  if (length < 0) {
    if (fileBytes > HEADER_BYTES_MAX) {
      throw new CostStoreError('too_large', `the header is longer than ${HEADER_BYTES_MAX} bytes`)
    }
    return { value: text.slice(start), end: text.length }
  }
  return { value: text.slice(start, start + length), end: start + length }
}

function checkNames(names: readonly string[]): readonly string[] {
  if (names.length < 2) {
    throw new CostStoreError('malformed_header', 'the first line is not a comma separated header')
  }
  return names
}
