// A replay in the worker: the files of a trail through the same code as `seconder replay`.
import { rulesOf } from '@seconder/replay/judge/rules'
import { htmlReport } from '@seconder/replay/report/html'
import { replayed } from '@seconder/replay/report/replayed'
import type { Answer, Ask } from './messages.ts'
import { trailOfFiles } from './trail-reading.ts'

type ReplayAsk = Extract<Ask, { is: 'replay' }>

export async function replayOf(
  { files, content }: ReplayAsk,
  onProgress: (answer: Answer) => void,
): Promise<Answer> {
  const rules = await rulesOf(content, `epoch ${content.epoch} of this gate`)
  const store = await trailOfFiles(files, onProgress)
  onProgress({ is: 'progress', words: 'deciding', done: 1, of: 1 })
  const report = replayed(store, { rules })
  return { is: 'replayed', report, html: htmlReport(report) }
}
