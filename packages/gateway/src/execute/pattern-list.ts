// Makes a list of ARN patterns short enough for a session policy: names under a common beginning become
// that beginning and `*`. Every name stays covered, nothing of another service, region or account is.
// Pure.

/** `arn:partition:service:region:account:`; a pattern never gets shorter than this. */
const HEAD = /^arn:[^:]*:[^:]*:[^:]*:[^:]*:/

/** How a policy writes a `$` that begins no variable. */
const DOLLAR = ['$', '{$}'].join('')

/** The text of a value in a policy: ASCII alone, since STS takes no character past U+00FF. */
export function policyText(json: string): string {
  return json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * A resource as an IAM pattern: `$` is a literal, so that no name can hold a policy variable.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
 */
export function iamPattern(arn: string): string {
  return arn.replaceAll('$', () => DOLLAR)
}

/** Characters of the list in a policy, brackets not counted. */
export function listChars(patterns: readonly string[]): number {
  const texts = patterns.map((pattern) => policyText(JSON.stringify(pattern)).length)
  return texts.reduce((sum, length) => sum + length, Math.max(0, patterns.length - 1))
}

/**
 * The patterns in at most `charsMax` characters: as they are where they fit, else the narrowest
 * beginnings that do; null where only `*` would.
 */
export function fittedPatterns(patterns: readonly string[], charsMax: number): string[] | null {
  const all = [...new Set(patterns)].sort()
  if (all.includes('*')) return listChars(['*']) <= charsMax ? ['*'] : null
  if (listChars(all) <= charsMax) return all
  const merged = mergedTo(all, charsMax)
  return listChars(merged) <= charsMax ? merged : cutTo(merged, charsMax)
}

/** Joins the two neighbours that have most in common, until the list fits or only heads are left. */
function mergedTo(sorted: readonly string[], charsMax: number): string[] {
  const list = [...sorted]
  const common = list.slice(1).map((text, index) => sharedLength(list[index] ?? '', text))
  let chars = listChars(list)
  while (chars > charsMax && list.length > 1) {
    const at = longestAt(common)
    const left = list[at] ?? ''
    const right = list[at + 1] ?? ''
    const beginning = clean(left.slice(0, common[at]))
    if (!joinable(left, beginning)) {
      common[at] = -1
      if (common.every((length) => length < 0)) break
      continue
    }
    const joined = `${beginning}*`
    chars += listChars([joined]) - listChars([left]) - listChars([right]) - 1
    list.splice(at, 2, joined)
    common.splice(at, 1)
    for (const beside of [at - 1, at]) {
      if (beside >= 0 && beside < common.length) {
        common[beside] = sharedLength(list[beside] ?? '', list[beside + 1] ?? '')
      }
    }
  }
  return [...new Set(list)]
}

/** Cuts what is longer than its share; null where that would cut into a head. */
function cutTo(list: readonly string[], charsMax: number): string[] | null {
  const share = Math.floor(charsMax / list.length) - 1
  const cut = list.map((pattern) => {
    let text = pattern
    while (listChars([text]) > share && joinable(pattern, text.slice(0, -1))) {
      text = `${clean(text.slice(0, Math.floor((text.length - 1) * 0.9)))}*`
    }
    return text
  })
  const whole = cut.every((text, index) => joinable(list[index] ?? '', text.replace(/\*$/, '')))
  return whole && listChars(cut) <= charsMax ? [...new Set(cut)] : null
}

/** True where `beginning` still names partition, service, region and account of the pattern. */
function joinable(pattern: string, beginning: string): boolean {
  const head = HEAD.exec(pattern)?.[0]
  return head !== undefined && beginning.startsWith(head)
}

/** A beginning that ends in no half of an escape or of a character. */
function clean(beginning: string): string {
  return beginning.replace(/\$(\{\$?)?$/, '').replace(/[\ud800-\udbff]$/, '')
}

function sharedLength(left: string, right: string): number {
  let length = 0
  while (length < left.length && left[length] === right[length]) length += 1
  return length
}

function longestAt(lengths: readonly number[]): number {
  let at = 0
  lengths.forEach((length, index) => {
    if (length > (lengths[at] ?? -1)) at = index
  })
  return at
}
