// A mail in plain text by SMTP. Outside loopback the connection is encrypted and the server's certificate is
// checked, or nothing is sent. The library is loaded with the first mail.
// Source: https://nodemailer.com/smtp
import type { Attempt, Channel, Delivery } from '../channel.ts'
import { connectionCode, DeliveryFailure } from '../channel.ts'
import { DECIDES_NOTHING, glassLine, lineOf, type Notice, sessionLine, titleOf } from '../notice.ts'
import { type ChannelConfig, isLoopback } from '../notify-config.ts'

type EmailConfig = Extract<ChannelConfig, { kind: 'email' }>

export function emailChannel(config: EmailConfig): Channel {
  return {
    kind: 'email',
    async send(delivery, attempt) {
      const transport = await transportOf(config)
      if (attempt.signal.aborted) throw new DeliveryFailure('timeout')
      const { promise: over, reject } = Promise.withResolvers<never>()
      const stop = () => reject(new DeliveryFailure('timeout'))
      attempt.signal.addEventListener('abort', stop, { once: true })
      try {
        await Promise.race([transport.sendMail(mailOf(config, delivery, attempt.link)), over])
      } catch (cause) {
        throw cause instanceof DeliveryFailure ? cause : failureOf(cause)
      } finally {
        attempt.signal.removeEventListener('abort', stop)
        transport.close()
      }
    },
  }
}

/** Silence of the server, in milliseconds; the attempt as a whole has its own limit. */
const SILENCE_MS = 15_000

async function transportOf({ host, port, tls, login, ca }: EmailConfig) {
  const { createTransport } = await import('nodemailer')
  const inTheClear = isLoopback(host) && ca === null && !tls
  return createTransport({
    host,
    port,
    secure: tls,
    requireTLS: !tls && !inTheClear,
    ignoreTLS: inTheClear,
    tls: { minVersion: 'TLSv1.2', ...(ca !== null && { ca }) },
    ...(login && { auth: { user: login.user, pass: login.password.reveal() } }),
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    dnsTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  })
}

function mailOf({ from, to }: EmailConfig, delivery: Delivery, link: Attempt['link']) {
  const { id, notice, follows } = delivery
  return {
    from: { name: 'Seconder', address: from },
    to: to.map((address) => ({ name: '', address })),
    subject: titleOf(notice),
    text: textOf(notice, link),
    messageId: messageId(id, from),
    ...(follows !== null && {
      inReplyTo: messageId(follows, from),
      references: [messageId(follows, from)],
    }),
    // Source: RFC 3834, section 5: keeps holiday notes from answering.
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

function messageId(id: string, from: string): string {
  return `<${id}@${from.slice(from.indexOf('@') + 1)}>`
}

function textOf(notice: Notice, link: Attempt['link']): string {
  const { kind, requests, operator, session, breakGlass } = notice
  if (kind === 'test') return `A test message of Seconder.\n\n${DECIDES_NOTHING}\n`
  const rows = requests.flatMap((request) => [
    `- ${lineOf(request, kind)}`,
    `  ${link(`/requests/${request.id}`)}`,
  ])
  if (breakGlass) {
    rows.push(`- ${glassLine(breakGlass)}`, `  ${link(`/break-glass/${breakGlass.id}`)}`)
  }
  const suspended = sessionLine(notice)
  if (suspended !== null) rows.push(`- ${suspended}`)
  const head = `Session of ${operator}: ${link(`/sessions/${session}`)}`
  const end =
    kind === 'request.closed' || kind === 'request.revoked'
      ? 'Nothing is left to do: the earlier message is void.'
      : DECIDES_NOTHING
  return [head, '', ...rows, '', end, ''].join('\n')
}

/**
 * The words of a failure stay out of it: they only choose among codes, because the library gives every failure
 * of a socket one code of its own.
 */
function failureOf(cause: unknown): DeliveryFailure {
  const { responseCode, code, message } = cause as Readonly<Record<string, unknown>>
  if (code === 'EAUTH') return new DeliveryFailure('smtp_login')
  if (code === 'ETLS') return new DeliveryFailure('tls')
  if (typeof responseCode === 'number' && responseCode >= 400 && responseCode <= 599)
    return new DeliveryFailure(`smtp_${responseCode}`)
  if (code === 'ESOCKET') {
    const words = String(message)
    if (/certificate|altnames|\b(tls|ssl)\b/i.test(words)) return new DeliveryFailure('tls')
    return new DeliveryFailure(/ECONNREFUSED/.test(words) ? 'refused' : 'unreachable')
  }
  return new DeliveryFailure(connectionCode(cause))
}
