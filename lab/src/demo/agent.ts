// The demo's agent as a process: the `ai` SDK, a scripted model, and tools on real AWS SDK clients.
// It gets endpoint, region and keys from its environment and the task from its command line; it says
// what it does as JSON lines, which nobody takes for a measurement.
import { generateText, isStepCount } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { type Move, nextMove, STACK, type Step, TOOLS } from './agent-script.ts'
import { agentTools } from './agent-tools.ts'
import type { AgentEvent } from './events.ts'

/** Model turns; the longest way through the script takes twelve. */
const TURNS_MAX = 20

const INSTRUCTIONS = `You look after the CloudFormation stack ${STACK} in production. Do the task.`

type Prompt = Parameters<MockLanguageModelV4['doGenerate']>[0]['prompt']
type Generated = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>

/** The conversation so far as the script reads it. */
function stepsOf(prompt: Prompt): Step[] {
  const steps: Step[] = []
  const calls = new Map<string, Pick<Step, 'tool' | 'input'>>()
  for (const { content } of prompt) {
    for (const part of typeof content === 'string' ? [] : content) {
      if (part.type === 'tool-call') {
        const name = TOOLS.find((tool) => tool === part.toolName)
        const input = part.input as Step['input']
        if (name !== undefined) calls.set(part.toolCallId, { tool: name, input })
      }
      if (part.type !== 'tool-result') continue
      const made = calls.get(part.toolCallId)
      const { output } = part
      const result = 'value' in output ? String(output.value) : output.type
      if (made !== undefined) steps.push({ ...made, result })
    }
  }
  return steps
}

const USAGE: Generated['usage'] = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
}

function generated(move: Move, turn: number): Generated {
  if (move.kind === 'say') {
    const content = [{ type: 'text' as const, text: move.text }]
    return { content, finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE, warnings: [] }
  }
  const called = { toolCallId: `call-${turn}`, toolName: move.tool }
  return {
    content: [{ type: 'tool-call', ...called, input: JSON.stringify(move.input) }],
    finishReason: { unified: 'tool-calls', raw: 'tool-calls' },
    usage: USAGE,
    warnings: [],
  }
}

function tell(event: AgentEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const model = new MockLanguageModelV4({
  provider: 'scripted',
  modelId: 'december',
  doGenerate: async ({ prompt }) => {
    const steps = stepsOf(prompt)
    return generated(nextMove(steps), steps.length)
  },
})

const { text } = await generateText({
  model,
  instructions: INSTRUCTIONS,
  prompt: process.argv[2] ?? '',
  tools: agentTools(
    process.env['SECONDER_GATE'],
    (tool, input) => tell({ event: 'call', tool, input }),
    (tool, result) => tell({ event: 'result', tool, result }),
  ),
  stopWhen: isStepCount(TURNS_MAX),
  maxRetries: 0,
})
tell({ event: 'say', text })
