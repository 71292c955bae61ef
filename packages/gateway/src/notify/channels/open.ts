// Makes a Channel from its configuration.
import type { Channel } from '../channel.ts'
import type { ChannelConfig } from '../notify-config.ts'
import { emailChannel } from './email.ts'
import { slackChannel } from './slack.ts'
import { webhookChannel } from './webhook.ts'

export function openChannel(config: ChannelConfig): Channel {
  switch (config.kind) {
    case 'webhook':
      return webhookChannel(config.url, config.keys)
    case 'slack':
      return slackChannel(config.url)
    case 'email':
      return emailChannel(config)
  }
}
