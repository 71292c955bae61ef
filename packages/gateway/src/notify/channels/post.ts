// One POST to an address of the configuration: no redirect is followed, nothing of the answer is read but its
// status and Retry-After, and no connection is kept.
import http from 'node:http'
import https from 'node:https'
import { connectionCode, DeliveryFailure } from '../channel.ts'

/** Longest wait that a receiver may ask for. */
const RETRY_AFTER_MS_MAX = 600_000

/**
 * Resolves where the status is 2xx. Errors: DeliveryFailure; `http_410` is final.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * "Delivery success and failure"
 */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const { status, retryAfter } = await answerTo(url, headers, body, signal)
  if (status >= 200 && status <= 299) return
  throw new DeliveryFailure(`http_${status}`, {
    final: status === 410,
    retryAfterMs: /^\d{1,6}$/.test(retryAfter)
      ? Math.min(Number(retryAfter) * 1_000, RETRY_AFTER_MS_MAX)
      : null,
  })
}

function answerTo(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; retryAfter: string }> {
  const { request: open } = url.startsWith('https:') ? https : http
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => reject(new DeliveryFailure(connectionCode(cause)))
    try {
      const request = open(url, { method: 'POST', headers, agent: false, signal }, (answer) => {
        resolve({
          status: answer.statusCode ?? 0,
          retryAfter: answer.headers['retry-after'] ?? '',
        })
        answer.on('error', () => undefined)
        request.destroy()
      })
      request.on('error', failed)
      request.end(body)
    } catch (cause) {
      failed(cause)
    }
  })
}
