// seconder plan begin|submit|ls|show: several calls, recorded by running them, then reviewed as one.
import type { ShownPlan } from '@seconder/gateway/api/plans'
import type { Command } from 'commander'
import { agentPost, keysOfEnvironment } from '../agent-client.ts'
import { CommandFailure } from '../failure.ts'
import type { GateClient } from '../gate-client.ts'
import { gateFor } from '../reading.ts'
import { renderAny } from '../render/plan-document.ts'
import { print, table } from '../render/terminal.ts'
import { checkedRequest } from '../reviewing.ts'

interface Options {
  readonly gate?: string
  readonly sshKey?: string
  readonly json?: boolean
}

export function addPlanCommands(program: Command): void {
  const plan = program.command('plan').description('several calls that are reviewed as one')
  const add = (name: string, description: string, example: string) =>
    plan
      .command(name)
      .description(description)
      .option('--gate <url>', 'console address of the gate')
      .option('--json', 'as JSON')
      .addHelpText('after', `\nExample:\n  seconder plan ${example}\n`)
  add(
    'begin',
    'as an agent: record what needs a review instead of asking for it',
    'begin --reason "replace the orders table"',
  )
    .requiredOption('--reason <text>', 'why, for the reviewers')
    .action(begin)
  add('submit', 'as an agent: let reviewers see what was recorded', 'submit').action(submit)
  add('ls', 'list plans, newest first', 'ls')
    .option('--ssh-key <path>', 'your registered SSH key, to read')
    .action(list)
  add('show <id>', 'show its steps, as the reviewers see them', 'show p-51c2')
    .option('--ssh-key <path>', 'your registered SSH key, to read')
    .action(show)
}

async function begin({ reason, ...options }: Options & { reason: string }): Promise<void> {
  const client = gateFor(options)
  const plan = await agentPost<ShownPlan>(client, keysOfEnvironment(), '/api/agent/plans', {
    reason,
  })
  if (options.json) print(JSON.stringify(plan))
  else {
    print(
      `Plan ${plan.planId} records. Run your calls in order: reads are answered, nothing is changed.`,
    )
    print('Then: seconder plan submit')
  }
}

async function submit(options: Options): Promise<void> {
  const client = gateFor(options)
  const path = '/api/agent/plans/submit'
  const plan = await agentPost<ShownPlan>(client, keysOfEnvironment(), path, {})
  if (options.json) print(JSON.stringify(plan))
  else
    print(
      `Plan ${plan.planId} needs ${plan.request?.needs}. Wait with: seconder wait ${plan.planId}`,
    )
}

async function list(options: Options): Promise<void> {
  const { plans } = await gateFor(options).get<{ plans: ShownPlan[] }>('/api/plans?limit=1000')
  if (options.json) print(JSON.stringify({ plans }))
  else if (plans.length === 0) print('There are no plans.')
  else {
    const rows = plans.map(({ planId, state, steps, operator, openedAt }) => {
      const done = steps.filter((step) => step.state === 'done').length
      const at = openedAt.slice(0, 16).replace('T', ' ')
      return [planId, state, `${done} of ${steps.length}`, operator, at]
    })
    print(table(['plan', 'state', 'done', 'operator', 'begun (UTC)'], rows))
  }
}

async function show(id: string, options: Options): Promise<void> {
  const client = gateFor(options)
  const full = await client.get<{ plan: ShownPlan }>(`/api/plans/${await planId(client, id)}`)
  const { plan } = full
  if (options.json) {
    print(JSON.stringify(full))
    return
  }
  if (plan.request) {
    const { document, shown, full: reviewed } = await checkedRequest(client, plan.planId)
    const approved = reviewed.reviews.filter(({ verdict }) => verdict === 'approve')
    print(
      renderAny(
        document,
        shown,
        approved.map(({ reviewer }) => reviewer),
      ),
    )
  }
  for (const { number, operation, state } of plan.steps)
    print(`  ${number}. ${operation}: ${state}`)
  const where = plan.stoppedAt === null ? '' : ` at step ${plan.stoppedAt}`
  print(`State ${plan.state}${where}${plan.why === null ? '' : `: ${plan.why}`}`)
}

async function planId(client: GateClient, id: string): Promise<string> {
  const { plans } = await client.get<{ plans: ShownPlan[] }>('/api/plans?limit=1000')
  const [only, more] = plans.filter((plan) => plan.planId.startsWith(id))
  if (only && !more) return only.planId
  throw new CommandFailure(
    'request_unknown',
    only ? `${id} fits several plans` : `there is no plan ${id}`,
    'see `seconder plan ls`',
  )
}
