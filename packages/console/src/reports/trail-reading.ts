// The files of a trail in the worker, read by the same code as on the command line: in one thread and in memory, so
// with a limit.
import { Gatherer } from '@seconder/replay/store/gatherer'
import { Gathering, Numbers } from '@seconder/replay/store/gathering'
import type { TrailStore } from '@seconder/replay/store/trail-store'
import { PlainWalker } from '@seconder/replay/trail/event-walker'
import { RecordReader } from '@seconder/replay/trail/records'
import { isLeftOut, isTrailName } from '@seconder/replay/trail/trail-names'
import { type Answer, type GivenFile, ReportFault } from './messages.ts'
import { piecesOf } from './unpacking.ts'

/** Events that one page takes: about 200 MB of rows. */
export const EVENTS_MAX = 5_000_000

/** How often a file that is long is told of. */
const TOLD_EVENTS = 20_000

/** Throws ReportFault where there is no file of a trail, or no event, or too many. */
export async function trailOfFiles(
  files: readonly GivenFile[],
  onProgress: (answer: Answer) => void,
): Promise<TrailStore> {
  const chosen = files.filter(
    ({ path, isOfFolder }) => !isOfFolder || (isTrailName(path) && !isLeftOut(path)),
  )
  if (chosen.length === 0) {
    throw new ReportFault(
      'no file of a trail was among them',
      'drop the folder AWSLogs of a trail, or files that end in .json, .json.gz or .ndjson',
    )
  }
  const store = await scanned(inOrder(chosen), files.length - chosen.length, onProgress)
  if (store.facts.events === 0) throw withoutEvents(store)
  return store
}

async function scanned(
  files: readonly GivenFile[],
  leftOut: number,
  onProgress: (answer: Answer) => void,
  whole: readonly string[] = [],
): Promise<TrailStore> {
  const input = { files: files.map(({ path, file }) => ({ path, bytes: file.size })), leftOut }
  const of = files.reduce((sum, { file }) => sum + file.size, 0)
  let done = 0
  let events = 0
  const tell = () =>
    onProgress({
      is: 'progress',
      words: `reading: ${events.toLocaleString('en')} events`,
      done,
      of,
    })
  tell()
  const gathering = new Gathering(input, { memoryRowsMax: Number.POSITIVE_INFINITY })
  const own = new Numbers()
  const gatherer = new Gatherer((chunk) => gathering.take(chunk, own), whole)
  const walker = new PlainWalker((event) => {
    if (++events > EVENTS_MAX) {
      throw new ReportFault(
        `there are more than ${EVENTS_MAX.toLocaleString('en')} events, which is more than a page takes`,
        'drop fewer weeks, or run seconder replay, which has no such limit',
      )
    }
    if (events % TOLD_EVENTS === 0) tell()
    gatherer.take(event)
  })
  for (const [index, { file }] of files.entries()) {
    gathering.read({ index, ...(await readFile(file, walker)) })
    done += file.size
    tell()
  }
  gatherer.flush()
  const { mistaken } = gathering
  if (mistaken.length === 0) return gathering.store()
  return scanned(files, leftOut, onProgress, [...whole, ...mistaken])
}

/** As `readTrailFile` under Node: what is whole counts, and what is wrong with the rest is named. */
async function readFile(file: File, walker: PlainWalker) {
  const reader = new RecordReader(walker)
  let fault: string | null = null
  let isGzip = false
  try {
    const opened = await piecesOf(file)
    isGzip = opened.isGzip
    for await (const piece of opened.pieces) reader.push(piece)
  } catch (cause) {
    if (cause instanceof ReportFault) throw cause
    fault = isGzip ? 'gzip' : 'unreadable' // the report names the file
  }
  const ended = reader.end()
  const { events, brokenLines } = reader
  const others = ended === 'no_events' ? 0 : reader.others
  return { events, others, fault: fault ?? ended, brokenLines }
}

/** The order of `seconder replay`: the files of a folder by name, then its folders. */
function inOrder(files: readonly GivenFile[]): GivenFile[] {
  const keyed = files.map((given) => {
    const names = given.path.split('/')
    const last = names.pop() ?? ''
    return { given, key: [...names.map((name) => `1${name}`), `0${last}`] }
  })
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ given }) => given)
}

function compare(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((name, index) => name !== b[index])
  const [left = '', right = ''] = [a[at], b[at]]
  return left === right ? 0 : left < right ? -1 : 1
}

function withoutEvents({ facts }: TrailStore): ReportFault {
  const [first] = facts.faults
  const found = first === undefined ? '' : `; \`${first.path}\`: ${first.fault}`
  return new ReportFault(
    `there is no event of CloudTrail in what was dropped${found}`,
    'each file is {"Records": [...]} as CloudTrail delivers it, a list of events, or one event a line',
  )
}
