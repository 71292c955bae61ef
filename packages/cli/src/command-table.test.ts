// What holds for every command: help with an example of that very command.
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { COMMANDS, REVIEWING } from './command-table.ts'

/** Each command that does something, by all its words. */
function leaves(command: Command, words: readonly string[] = []): [string, Command][] {
  const own = [...words, command.name()]
  if (command.commands.length === 0) return [[own.join(' '), command]]
  return command.commands.flatMap((each) => leaves(each, own))
}

function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
  return help
}

test('every command has help with an example that begins with its own words', async () => {
  const program = new Command('seconder')
  for (const load of Object.values(COMMANDS)) (await load())(program)
  const all = leaves(program)
  expect(all.length).toBeGreaterThan(40)
  for (const [words, command] of all) {
    const help = helpOf(command)
    expect([words, /^Examples?:$/m.test(help)]).toEqual([words, true])
    const example = help.slice(help.search(/^Examples?:$/m))
    expect([words, example]).toEqual([words, expect.stringContaining(words)])
  }
  const firsts = new Set(program.commands.map((command) => command.name()))
  for (const word of REVIEWING) expect(firsts).toContain(word)
})
