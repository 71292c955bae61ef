// `npm run index`: rebuilds data/service-index.bin and data/endpoints.json from npm alone. It fetches the pinned v3 clients,
// reads their schemas into clients/models.br and compiles that with the installed packages and our
// tables. With `--check` it writes nothing and says whether the committed files are what comes out.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type FetchedClient, fetchClients, newestClients } from './client-archive.ts'
import { EXTRACT_PATH, extractHash, extractText, packExtract } from './client-models.ts'
import { PINS_PATH, pinsText, readPins } from './client-pins.ts'
import { compileEndpoints, ENDPOINTS_PATH, endpointTableText } from './compile-endpoints.ts'
import { compileIndex, INDEX_PATH } from './compile-index.ts'

const HELP = `npm run index [-- --check | --offline | --pin VERSION [NAME...]]

  (none)         fetches the pinned @aws-sdk/client-* with npm, reads them, compiles the index
  --check        the same, but only compares with what is committed; exit 1 where it differs
  --offline      compiles the index from the committed extract, without network
  --pin VERSION  pins the newest version up to VERSION of every client, and of each NAME
                 (without \`@aws-sdk/client-\`) in addition; then rebuilds

Example: npm run index -- --check
`

async function rebuild(clients: readonly FetchedClient[], until: string): Promise<void> {
  const text = extractText(clients)
  const pins = clients.map(({ pin }) => pin)
  mkdirSync(dirname(EXTRACT_PATH), { recursive: true })
  writeFileSync(EXTRACT_PATH, packExtract(text))
  writeFileSync(PINS_PATH, pinsText({ until, extract: extractHash(text), clients: pins }))
  await compile()
}

async function compile(): Promise<void> {
  const bytes = await compileIndex()
  writeFileSync(INDEX_PATH, bytes)
  writeFileSync(ENDPOINTS_PATH, endpointTableText(await compileEndpoints()))
  process.stdout.write(`wrote ${INDEX_PATH} (${bytes.length} bytes) and ${ENDPOINTS_PATH}\n`)
}

async function check(): Promise<boolean> {
  const pins = readPins()
  const text = extractText(await fetchClients(pins.clients))
  const isExtract = extractHash(text) === pins.extract
  const isIndex = (await compileIndex()).equals(readFileSync(INDEX_PATH))
  const endpoints = endpointTableText(await compileEndpoints())
  const isTable = endpoints === readFileSync(ENDPOINTS_PATH, 'utf8')
  process.stdout.write(
    `${pins.clients.length} clients fetched and read: ${isExtract ? 'as committed' : 'DIFFERENT'}\n` +
      `service index compiled: ${isIndex ? 'as committed' : 'DIFFERENT'}\n` +
      `endpoint table compiled: ${isTable ? 'as committed' : 'DIFFERENT'}\n`,
  )
  return isExtract && isIndex && isTable
}

const [mode, ...rest] = process.argv.slice(2)
if (mode === undefined) {
  const { until, clients } = readPins()
  await rebuild(await fetchClients(clients), until)
} else if (mode === '--offline' && rest.length === 0) {
  await compile()
} else if (mode === '--check' && rest.length === 0) {
  if (!(await check())) process.exitCode = 1
} else if (mode === '--pin' && rest[0] !== undefined) {
  const [until, ...added] = rest
  const names = new Set([...readPins().clients.map(({ name }) => name), ...added])
  await rebuild(await newestClients([...names].sort(), until), until)
} else {
  process.stdout.write(HELP)
  if (mode !== '--help') process.exitCode = 2
}
