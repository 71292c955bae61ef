// What the demo's processes tell its story, one JSON line each. Claims: the figures come from elsewhere.
import type { ToolInput, ToolName } from './agent-script.ts'

export type AgentEvent =
  | { readonly event: 'call'; readonly tool: ToolName; readonly input: ToolInput }
  | { readonly event: 'result'; readonly tool: ToolName; readonly result: string }
  | { readonly event: 'say'; readonly text: string }
