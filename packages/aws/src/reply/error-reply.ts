// Makes the error reply of a refused call in the protocol of the request, so that the client prints
// the gate's words as it prints AWS's own, and sends no second request. Pure; it decides nothing.

import { encode } from 'cborg'
import type { Protocol } from '../call.ts'
import { ERROR_WORDS, FAMILY_OF_PROTOCOL, type ReplyCode, type ReplyStatus } from './error-codes.ts'

export interface ErrorReplyInput {
  /** Of the request; undefined where it was refused before that was known. */
  readonly protocol: Protocol | undefined
  readonly code: ReplyCode
  /** Shown to the caller verbatim, as one line of at most MESSAGE_CHARACTERS_MAX characters. */
  readonly message: string
  /** Printable ASCII; the id of the review request where there is one. */
  readonly requestId: string
  /** Instead of the status of the table. */
  readonly status?: ReplyStatus
  /** True where the client asks for the code of the query protocol too (`wantsQueryCode`). */
  readonly wantsQueryCode?: boolean
  /** True for HEAD: no body may follow. */
  readonly isHead?: boolean
}

export interface ErrorReply {
  readonly status: ReplyStatus
  readonly headers: [name: string, value: string][]
  readonly body: Uint8Array
}

export const MESSAGE_CHARACTERS_MAX = 2_000
const REQUEST_ID_CHARACTERS_MAX = 128

// The namespace AWS's own front door answers with when it refuses a query call. Without a namespace
// on the root AWS CLI v2 prints "Unknown: Unknown".
const FAULT_NAMESPACE = 'http://webservices.amazon.com/AWSFault/2005-15-09'

/**
 * The reply: status, headers (content-length included, except for HEAD) and body bytes.
 *
 * Each code has AWS's own name and status in each protocol (ERROR_WORDS). Where the protocol is not
 * known the reply is query XML with an x-amzn-errortype header: botocore reads either.
 * Source: https://smithy.io/2.0/aws/protocols/ (operation error serialization of each protocol)
 */
export function errorReply(input: ErrorReplyInput): ErrorReply {
  const protocol = input.protocol ?? 'awsQuery'
  const [code, usualStatus] = ERROR_WORDS[input.code][FAMILY_OF_PROTOCOL[protocol]]
  const status = input.status ?? usualStatus
  const message = oneLine(input.message)
  const requestId = input.requestId
    .slice(0, REQUEST_ID_CHARACTERS_MAX)
    .replace(/[^A-Za-z0-9._:-]/g, '-')
  const { contentType, body, headers } = encodeError(protocol, { code, message, requestId })
  const all: [string, string][] = [
    ['content-type', contentType],
    ['x-amzn-requestid', requestId],
    ...headers,
  ]
  if (input.protocol === undefined) all.push(['x-amzn-errortype', code])
  // Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#x-amzn-query-error-header
  if (input.wantsQueryCode === true && FAMILY_OF_PROTOCOL[protocol] === 'json') {
    all.push(['x-amzn-query-error', `${ERROR_WORDS[input.code].query[0]};Sender`])
  }
  if (input.isHead === true) {
    // No client shows these for HEAD today, but a person with `--debug` sees why.
    all.push(['x-amz-error-code', code], ['x-amz-error-message', headerText(message)])
    return { status, headers: all, body: new Uint8Array(0) }
  }
  all.push(['content-length', String(body.byteLength)])
  return { status, headers: all, body }
}

interface ErrorText {
  readonly code: string
  readonly message: string
  readonly requestId: string
}

interface EncodedError {
  readonly contentType: string
  readonly headers: [string, string][]
  readonly body: Uint8Array
}

function encodeError(protocol: Protocol, error: ErrorText): EncodedError {
  const { code, message, requestId } = error
  const errorType: [string, string][] = [['x-amzn-errortype', code]]
  switch (protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1': {
      const contentType = `application/x-amz-json-${protocol === 'awsJson1_0' ? '1.0' : '1.1'}`
      const body = utf8(JSON.stringify({ __type: code, message }))
      return { contentType, headers: errorType, body }
    }
    case 'restJson1': {
      const body = utf8(JSON.stringify({ message }))
      return { contentType: 'application/json', headers: errorType, body }
    }
    case 'rpcv2Cbor': {
      const body = encode({ __type: code, message })
      return {
        contentType: 'application/cbor',
        headers: [['smithy-protocol', 'rpc-v2-cbor']],
        body,
      }
    }
    case 'ec2Query': {
      const body = xml(
        `<Response><Errors><Error>${codeAndMessage(error)}</Error></Errors>` +
          `<RequestID>${escapeXml(requestId)}</RequestID></Response>`,
      )
      return { contentType: 'text/xml', headers: [], body }
    }
    case 's3': {
      const body = xml(`<Error>${codeAndMessage(error)}${requestIdElement(requestId)}</Error>`)
      const headers: [string, string][] = [['x-amz-request-id', requestId]]
      return { contentType: 'application/xml', headers, body }
    }
    case 'awsQuery':
    case 'restXml': {
      const body = xml(
        `<ErrorResponse xmlns="${FAULT_NAMESPACE}"><Error><Type>Sender</Type>` +
          `${codeAndMessage(error)}</Error>${requestIdElement(requestId)}</ErrorResponse>`,
      )
      return { contentType: 'text/xml', headers: [], body }
    }
  }
}

function codeAndMessage({ code, message }: ErrorText): string {
  return `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`
}

function requestIdElement(requestId: string): string {
  return `<RequestId>${escapeXml(requestId)}</RequestId>`
}

function xml(text: string): Uint8Array {
  return utf8(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

// Terminals and XML 1.0 both refuse control characters; a message is one line of plain text. Format
// characters (bidi overrides, zero width) could make a line read as another (\p{Cf}).
function oneLine(message: string): string {
  const line = message
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\ufffe\uffff]+/gu, ' ')
    .trim()
  const characters = Array.from(line)
  if (characters.length <= MESSAGE_CHARACTERS_MAX) return line
  return `${characters.slice(0, MESSAGE_CHARACTERS_MAX - 3).join('')}...`
}

function headerText(message: string): string {
  return message.replace(/[^\x20-\x7e]/g, '?')
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
}
