// A message to an incoming webhook of Slack. All text is `plain_text`, which knows no markup or mention; the one
// `mrkdwn` is a link that is made of the console's address and an id. No button: what looks like an approval is
// taken for one. An incoming webhook cannot change what it posted, so a second message says that it is over.
// Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
import type { Secret } from '../../lib/secret.ts'
import type { Attempt, Channel, Delivery } from '../channel.ts'
import { DECIDES_NOTHING, glassLine, lineOf, sessionLine, titleOf } from '../notice.ts'
import { post } from './post.ts'

/** Source: https://docs.slack.dev/reference/block-kit/blocks/header-block and .../section-block */
const HEADER_CHARS_MAX = 150
const TEXT_CHARS_MAX = 3_000

export function slackChannel(url: Secret): Channel {
  return {
    kind: 'slack',
    async send(delivery, { link, signal }) {
      const body = JSON.stringify(messageOf(delivery, link))
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
      }
      await post(url.reveal(), headers, body, signal)
    },
  }
}

function messageOf({ notice }: Delivery, link: Attempt['link']) {
  const title = titleOf(notice)
  const over = notice.kind === 'request.closed' || notice.kind === 'request.revoked'
  const more = notice.breakGlass ? glassLine(notice.breakGlass) : sessionLine(notice)
  return {
    // Shown by notifications of the desktop, and read as mrkdwn: so it is escaped.
    text: escaped(title),
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(title, HEADER_CHARS_MAX) },
      ...notice.requests.map((request) => ({
        type: 'section',
        text: plain(lineOf(request, notice.kind), TEXT_CHARS_MAX),
      })),
      ...(more === null ? [] : [{ type: 'section', text: plain(more) }]),
      ...(notice.requests.length === 0 && more === null
        ? []
        : [{ type: 'section', text: { type: 'mrkdwn', text: linksOf(notice, link) } }]),
      {
        type: 'context',
        elements: [plain(over ? 'An earlier message of this is void.' : DECIDES_NOTHING)],
      },
    ],
  }
}

function linksOf(notice: Delivery['notice'], link: Attempt['link']): string {
  const { kind, requests, session, breakGlass } = notice
  if (kind === 'session.suspended')
    return `<${link(`/sessions/${session}`)}|Read what the session did>`
  if (breakGlass) return `<${link(`/break-glass/${breakGlass.id}`)}|Read what was done>`
  const [first] = requests
  return requests.length === 1 && first !== undefined
    ? `<${link(`/requests/${first.id}`)}|Read request ${first.id}>`
    : `<${link(`/sessions/${session}`)}|Read the session's ${requests.length} requests>`
}

function plain(text: string, charsMax = TEXT_CHARS_MAX) {
  return { type: 'plain_text', emoji: false, text: cut(escaped(text), charsMax) }
}

/** Source: https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 3)}...`
}
