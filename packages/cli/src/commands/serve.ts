// seconder serve: starts the gate and says where it listens, as whom, and what it cannot promise.
import { userInfo } from 'node:os'
import { loadConfig } from '@seconder/gateway/config'
import { serve } from '@seconder/gateway/serve'
import type { Command } from 'commander'
import { EXIT } from '../failure.ts'
import { note, print } from '../render/terminal.ts'

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description("start the gate: the AWS door for agents, and the people's API")
    .option('--config <file>', 'configuration', 'seconder.yaml')
    .option('--state <where>', 'sqlite:PATH or postgres://..., instead of what the file says')
    .option('--json', 'print the addresses as one JSON line')
    .addHelpText(
      'after',
      '\nExample:\n  AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... seconder serve --config seconder.yaml\n',
    )
    .action(start)
}

async function start(options: { config: string; state?: string; json?: boolean }): Promise<void> {
  const said = options.state === undefined ? {} : { SECONDER_STATE: options.state }
  const config = loadConfig(options.config, { ...process.env, ...said })
  const running = await serve(config)
  const { awsUrl, consoleUrl, metricsUrl, notices } = running
  if (options.json) {
    const { gate, verifierKey, epoch } = await running.gate.facts()
    print(JSON.stringify({ awsUrl, consoleUrl, metricsUrl, gate, epoch, verifierKey, notices }))
  } else {
    const { epoch } = await running.gate.facts()
    print(`Seconder gate, epoch ${epoch}, as user ${userInfo().username}`)
    print(`  agents   ${awsUrl}   (AWS_ENDPOINT_URL; open a session with: seconder session open)`)
    print(`  people   ${consoleUrl}   (SECONDER_GATE for seconder request, approve, deny, wait)`)
    print(`  upstream ${config.upstream.endpoint ?? 'AWS'}`)
    if (metricsUrl !== null) {
      print(`  metrics  ${metricsUrl}   (token in ${config.metrics?.tokenFile})`)
    }
    for (const words of notices) note(`  note     ${words}`)
    print(
      'Stop it with Ctrl-C. While it is down agents get connection refused, and nothing happens.',
    )
  }
  const stop = () => {
    running.close().then(
      () => process.exit(EXIT.done),
      () => process.exit(EXIT.failed),
    )
  }
  // The others have ended what it had begun. Whoever supervises it starts it again, as another gateway.
  void running.stopped.then((words) => {
    note(`seconder: this gateway ends: ${words}`)
    const end = () => process.exit(EXIT.failed)
    running.close().then(end, end)
  })
  // What came of it is in the log; a file that cannot be taken changes nothing.
  process.on('SIGHUP', () => void running.reload().catch(() => undefined))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
