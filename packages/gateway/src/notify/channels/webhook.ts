// A webhook as the Standard Webhooks specification has it: JSON, three headers, HMAC-SHA256 over id, time of the
// attempt and body. With two keys it carries two signatures, so that a receiver can change over.
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { createHmac } from 'node:crypto'
import type { Secret } from '../../lib/secret.ts'
import type { Attempt, Channel, Delivery } from '../channel.ts'
import { titleOf } from '../notice.ts'
import { post } from './post.ts'

export function webhookChannel(url: Secret, keys: readonly Secret<Uint8Array>[]): Channel {
  return {
    kind: 'webhook',
    async send(delivery, attempt) {
      const body = JSON.stringify(payloadOf(delivery, attempt.link))
      const timestamp = Math.floor(attempt.atMs / 1_000)
      const signatures = keys.map((key) =>
        signatureOf(key.reveal(), `${delivery.id}.${timestamp}.${body}`),
      )
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'Seconder',
        'webhook-id': delivery.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatures.join(' '),
      }
      await post(url.reveal(), headers, body, attempt.signal)
    },
  }
}

function signatureOf(key: Uint8Array, content: string): string {
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}

function payloadOf({ notice, follows }: Delivery, link: Attempt['link']) {
  const { kind, at, gate, session, operator, team, requests, breakGlass } = notice
  return {
    type: kind,
    timestamp: at,
    data: {
      title: titleOf(notice),
      gate,
      session: session === '' ? null : session,
      operator: operator === '' ? null : operator,
      team,
      url: session === '' ? link('/') : link(`/sessions/${session}`),
      /** `webhook-id` of the message that this one closes. */
      follows,
      ...(breakGlass && {
        breakGlass: { ...breakGlass, url: link(`/break-glass/${breakGlass.id}`) },
      }),
      requests: requests.map((request) => ({ ...request, url: link(`/requests/${request.id}`) })),
    },
  }
}
