// An audit of roles in the worker: an export of IAM through the same code as `seconder roles audit`.
import { auditOf } from '@seconder/replay/roles/audit'
import { catalogue } from '@seconder/replay/roles/catalogue'
import { EXPORT_BYTES_MAX } from '@seconder/replay/roles/export-entries'
import { matcherOf } from '@seconder/replay/roles/matcher'
import { readOrganization } from '@seconder/replay/roles/organization'
import { readEstate } from '@seconder/replay/roles/read-estate'
import { pageOf } from '@seconder/replay/roles/report/page'
import { trailUse } from '@seconder/replay/roles/trail-use'
import { type Answer, type Ask, type GivenFile, ReportFault } from './messages.ts'
import { trailOfFiles } from './trail-reading.ts'
import { piecesOf } from './unpacking.ts'

type RolesAsk = Extract<Ask, { is: 'roles' }>

export async function auditOfFiles(
  { files, content, options }: RolesAsk,
  onProgress: (answer: Answer) => void,
): Promise<Answer> {
  const exports = []
  for (const given of files) exports.push({ name: given.path, bytes: await bytesOf(given) })
  const estate = readEstate(exports)
  if (estate.identities.size === 0) {
    const [fault] = estate.faults
    throw new ReportFault(
      `there is no user or role in what was dropped${fault ? `: ${fault.what}` : ''}`,
      'drop the output of: aws iam get-account-authorization-details',
    )
  }
  const step = (words: string) => (done: number, of: number) =>
    onProgress({ is: 'progress', words, done, of })
  catalogue(step('services known'))
  const isAgent = matcherOf(options.agents)
  const { organization, trail } = options
  const now = new Date().toISOString()
  const { audit } = auditOf({
    estate,
    organization: organization && readOrganization(organization.path, await bytesOf(organization)),
    ...(trail.length > 0 && { trail: trailUse(await trailOfFiles(trail, onProgress)) }),
    gate: {
      configured: true,
      environments: content.environments,
      roles: Object.values(content.roles).map(({ arn }) => arn),
      own: options.gate === '' ? null : options.gate,
      protect: (content.protect ?? []).filter(({ arn }) => arn.startsWith('arn:')),
      accounts: content.ownAccounts ?? [],
    },
    now,
    isAgent: (arn, name) => isAgent(arn) || isAgent(name),
    isExcepted: matcherOf(options.except),
    onPrincipal: step('principals examined'),
  })
  return { is: 'audited', audit, html: pageOf(audit, now) }
}

/** Inflated where it is gzip. Past the limit of an export it is not read further. */
async function bytesOf({ path, file }: GivenFile): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const piece of (await piecesOf(file)).pieces) {
      length += piece.length
      if (length > EXPORT_BYTES_MAX) break
      parts.push(piece)
    }
  } catch {
    throw new ReportFault(
      `\`${path}\` cannot be read to its end`,
      'its compression is damaged, or the file went away: export again',
    )
  }
  if (length > EXPORT_BYTES_MAX) {
    throw new ReportFault(
      `\`${path}\` is larger than an export may be`,
      'drop one account at a time',
    )
  }
  return Buffer.concat(parts)
}
