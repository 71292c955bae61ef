// Reads the two files that AWS tools share, ~/.aws/credentials and ~/.aws/config, into sections of plain
// settings. It knows the format and nothing of what the settings mean.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
import { readFile } from 'node:fs/promises'
import { unavailable } from './credential-source.ts'

export const FILE_CHARS_MAX = 1024 * 1024
export const SECTIONS_MAX = 5_000

export type Settings = ReadonlyMap<string, string>

/** Profiles by name; in the credentials file `[name]`, in the config file `[profile name]`. */
export type Profiles = ReadonlyMap<string, Settings>

/** An absent file has no profiles. Errors: `credentials_unavailable`. */
export async function readProfiles(
  path: string,
  kind: 'credentials' | 'config',
): Promise<Profiles> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw unavailable(`\`${path}\` cannot be read`, { cause })
  }
  if (text.length > FILE_CHARS_MAX) throw unavailable(`\`${path}\` is over the limit`)
  return parseProfiles(text, kind, path)
}

export function parseProfiles(
  text: string,
  kind: 'credentials' | 'config',
  path: string,
): Profiles {
  const profiles = new Map<string, Map<string, string>>()
  let open: Map<string, string> | null = null
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*$|^\s*[#;]/.test(line)) continue
    const section = /^\s*\[([^\]]*)\]\s*(?:[#;].*)?$/.exec(line)
    if (section) {
      const name = profileName(section[1] ?? '', kind)
      open = name === null ? new Map() : (profiles.get(name) ?? new Map())
      if (name !== null) profiles.set(name, open)
      if (profiles.size > SECTIONS_MAX) throw unavailable(`\`${path}\` has too many profiles`)
      continue
    }
    // An indented line belongs to the setting above it (`s3 =`); none of those is a credential.
    if (/^\s/.test(line)) continue
    const equals = line.indexOf('=')
    if (equals < 1 || open === null) continue
    const value = line.slice(equals + 1).replace(/\s[#;].*$/, '')
    open.set(line.slice(0, equals).trim().toLowerCase(), value.trim())
  }
  return profiles
}

function profileName(header: string, kind: 'credentials' | 'config'): string | null {
  const name = header.trim()
  if (kind === 'credentials' || name === 'default') return name
  return /^profile\s+(.+)$/.exec(name)?.[1] ?? null
}
