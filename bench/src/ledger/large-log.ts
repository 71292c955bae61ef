// node bench/src/ledger/large-log.ts FOLDER [ENTRIES]: writes a log as a gate writes it, ten million entries
// where no number is given, verifies all of it as `seconder ledger verify` does, and prints time and memory.
// A log that is there already is verified as it is. Minutes, and half a kilobyte of disk an entry.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { writeGateLikeLog } from './gate-like-log.ts'

const SAID_EVERY = 1_000_000
const MIB = 2 ** 20

const [folder, count = '10000000'] = process.argv.slice(2)
if (folder === undefined || !Number.isSafeInteger(Number(count))) {
  process.stderr.write('usage: node bench/src/ledger/large-log.ts FOLDER [ENTRIES]\n')
  process.exit(2)
}

function progress(what: string): (done: number) => void {
  let saidAt = 0
  return (done) => {
    if (done - saidAt < SAID_EVERY) return
    saidAt = done
    const rss = (process.memoryUsage.rss() / MIB).toFixed(0)
    process.stderr.write(`${what} ${done} entries, ${rss} MiB\n`)
  }
}

const directory = join(folder, 'ledger')
if (!existsSync(directory)) {
  mkdirSync(folder, { recursive: true })
  await writeGateLikeLog(folder, Number(count), progress('wrote'))
  process.stdout.write('written; run it again to verify in a process of its own\n')
  process.exit(0)
}
const begun = performance.now()
const onProgress = progress('verified')
const { report } = await verifyLedgerFolder(directory, { keep: 0, onProgress })
const seconds = (performance.now() - begun) / 1000
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
process.stdout.write(
  `${report.ok ? 'ok' : 'WRONG'}: ${report.size} entries in ${seconds.toFixed(1)} s, ` +
    `${((userCPUTime + systemCPUTime) / 1e6).toFixed(1)} s of CPU, ` +
    `peak memory ${(maxRSS / 1024).toFixed(0)} MiB\n`,
)
if (!report.ok) process.exitCode = 1
