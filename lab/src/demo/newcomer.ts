// Lets whoever runs the demo be its reviewer: a passkey made in their own browser, for which the demo's two
// reviewers sign, as members do everywhere. Without a terminal or a browser, keys in a second terminal serve.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline/promises'
import { signChange } from '@seconder/cli/changing-people'
import { signerFor } from '@seconder/cli/signing'
import { parsePasskey } from '@seconder/gateway/lib/passkey'
import type { PeopleChange } from '@seconder/gateway/lib/people-change'
import { type DemoGate, REVIEWERS } from './gate.ts'
import type { Screen } from './screen.ts'

/** The name of whoever runs the demo. */
export const NEWCOMER = 'you'

/** Address of a page of the console, under the name that passkeys belong to. */
export function pageAt({ consoleUrl }: Pick<DemoGate, 'consoleUrl'>, path: string): string {
  return `http://localhost:${new URL(consoleUrl).port}${path}`
}

/** Returns whether the newcomer reviews by passkey, in the browser. */
export async function joinByBrowser(gate: DemoGate, screen: Screen): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false
  const page = pageAt(gate, '/people')
  screen.print(
    '',
    'You are the reviewer. In your browser:',
    `  1. open ${page}`,
    `  2. make a passkey for the name  ${NEWCOMER}`,
    '  3. paste its line here: two members sign for it, as for every new key',
    'Or press enter, and answer with keys in a second terminal.',
  )
  openBrowser(page)
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  try {
    for (;;) {
      const line = (await asking.question('passkey> ')).trim()
      if (line === '') return false
      if (await joined(gate, line, screen)) return true
    }
  } finally {
    asking.close()
  }
}

async function joined(gate: DemoGate, line: string, screen: Screen): Promise<boolean> {
  try {
    parsePasskey(line)
    await addPerson(gate, line)
    return true
  } catch (cause) {
    screen.print(`  ${(cause as Error).message}`)
    return false
  }
}

/** Both of the demo's reviewers sign it. */
export async function addPerson(
  gate: Pick<DemoGate, 'client' | 'keyOf'>,
  key: string,
): Promise<void> {
  const who = { person: NEWCOMER, teams: ['sre'], keys: [key], identities: [] }
  const change: PeopleChange = { kind: 'add-person', ...who }
  for (const reviewer of REVIEWERS) {
    await signChange(gate.client, await signerFor(gate.client, gate.keyOf(reviewer)), change)
  }
}

/** The address is printed as well: where there is no desktop nothing happens. */
function openBrowser(address: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open'
  const child = spawn(opener, [address], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
