// Operations whose input is an event stream: their body is made while it is sent and answered while it is
// read, over HTTP/2 or a WebSocket. Nobody can see such a call before it happens, so it is named and
// refused. Answers that are event streams are ordinary HTTP/1.1 answers and have no row here.

import { headerValues, type WireRequest } from '../wire-request.ts'

interface StreamRow {
  /** Signing name. */
  readonly service: string
  /** `<IAM prefix>:<API operation>`. */
  readonly operation: string
  /** The path of its requests; `*` is one label. */
  readonly path: string
  /** A query key that makes it another operation. */
  readonly unless?: string
  /** Where the model says so. */
  readonly source: string
}

const BOTOCORE = 'botocore 1.43.11 service-2.json, input member with `eventstream`'
const TRANSCRIBE =
  'aws-sdk-js-v3 client-transcribe-streaming, operation schemas (`@streaming` union)'

const ROWS: readonly StreamRow[] = [
  row('bedrock', 'bedrock:InvokeModelWithBidirectionalStream', {
    path: '/model/*/invoke-with-bidirectional-stream',
    source: BOTOCORE,
  }),
  row('health-agent', 'health-agent:StartMedicalScribeListeningSession', {
    path: '/medical-scribe-stream/',
    source: BOTOCORE,
  }),
  row('lex', 'lex:StartConversation', {
    path: '/bots/*/botAliases/*/botLocales/*/sessions/*/conversation',
    source: BOTOCORE,
  }),
  row('polly', 'polly:StartSpeechSynthesisStream', {
    path: '/v1/synthesisStream',
    source: BOTOCORE,
  }),
  row('qbusiness', 'qbusiness:Chat', {
    path: '/applications/*/conversations',
    unless: 'sync',
    source: BOTOCORE,
  }),
  row('rekognition', 'rekognition:StartFaceLivenessSession', {
    path: '/start-face-liveness-session',
    source:
      'https://docs.aws.amazon.com/rekognition/latest/APIReference/API_rekognitionstreaming_StartFaceLivenessSession.html',
  }),
  row('sagemaker', 'sagemaker:InvokeEndpointWithBidirectionalStream', {
    path: '/endpoints/*/invocations-bidirectional-stream',
    source: 'aws-sdk-js-v3 client-sagemaker-runtime-http2, operation schema',
  }),
  row('transcribe', 'transcribe:StartCallAnalyticsStreamTranscription', {
    path: '/call-analytics-stream-transcription',
    source: TRANSCRIBE,
  }),
  row('transcribe', 'transcribe:StartMedicalScribeStream', {
    path: '/medical-scribe-stream',
    source: TRANSCRIBE,
  }),
  row('transcribe', 'transcribe:StartMedicalStreamTranscription', {
    path: '/medical-stream-transcription',
    source: TRANSCRIBE,
  }),
  row('transcribe', 'transcribe:StartStreamTranscription', {
    path: '/stream-transcription',
    source: TRANSCRIBE,
  }),
]

/** Source: https://smithy.io/2.0/aws/amazon-eventstream.html (content type of a message stream) */
const EVENT_STREAM = 'application/vnd.amazon.eventstream'
const EVENTS = /^STREAMING-.*-EVENTS$/

/**
 * True where the head says that its body is an event stream, or that it would rather speak WebSocket:
 * then nobody should wait for the whole of it.
 */
export function saysStream(request: Pick<WireRequest, 'headers'>): boolean {
  const first = (name: string) => headerValues(request, name)[0]?.trim().toLowerCase() ?? ''
  return (
    first('content-type').split(';', 1)[0] === EVENT_STREAM ||
    EVENTS.test(first('x-amz-content-sha256').toUpperCase()) ||
    first('upgrade') === 'websocket'
  )
}

/**
 * The operation whose input is an event stream, `this operation` where the head says so and no row has
 * it, else undefined.
 */
export function inputStreamOf(
  request: Pick<WireRequest, 'method' | 'target' | 'headers'>,
  service: string,
): string | undefined {
  const [path = '', query = ''] = request.target.split('?', 2)
  const keys = query.split('&').map((pair) => pair.split('=', 1)[0])
  const found = ROWS.find(
    (each) =>
      each.service === service &&
      pattern(each.path).test(path) &&
      (each.unless === undefined || !keys.includes(each.unless)),
  )
  if (found !== undefined && (request.method === 'POST' || saysStream(request))) {
    return found.operation
  }
  return saysStream(request) ? 'this operation' : undefined
}

/** The same path with a slash at the end or none, or of its WebSocket. */
function pattern(path: string): RegExp {
  const plain = path.replace(/\/$/, '').replaceAll('*', '[^/]+')
  return new RegExp(`^${plain}(?:-websocket)?/?$`)
}

function row(service: string, operation: string, more: Omit<StreamRow, 'service' | 'operation'>) {
  return { service, operation, ...more }
}

/** Every row, for the test that compares them with the index. */
export const INPUT_STREAMS: readonly StreamRow[] = ROWS
