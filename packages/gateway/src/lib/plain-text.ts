// Makes text from agents, AWS and MCP fit to be shown to a person: what it says is what is seen. It
// does not escape HTML; the page does that. Rule: redteam M2. Source: Unicode UAX 31 and UTS 39.

/** Longest text shown unless the caller says otherwise, in characters of output. */
export const SHOWN_CHARS_MAX = 4096
/** Shortest limit a caller may ask for: room for the note about what was cut. */
export const SHOWN_CHARS_MIN = 40
/** More marks than this on one letter pile up over other lines; Thai and Hebrew use two. */
const MARKS_MAX = 3

/**
 * Never shown as they are: controls (Cc), bidi and other format controls (Cf), what fonts leave out
 * (Default_Ignorable), private, unassigned and lone surrogates (C), separators other than a space
 * (Z), and two that look empty without being a space: U+2800 and U+1D159.
 */
const HIDDEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]/u
const MARK = /\p{M}/u
/** Printable ASCII without a backslash needs no escape, and most text is nothing else. */
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/
const PRINTABLE = /^[\x20-\x7e]*$/

/**
 * `text` on one line, with every character that a reader could not see or would misread in escapes
 * such as `\u{202e}`: controls (line ends and tabs too), ANSI escapes, bidi and the invisible,
 * letters that another form would equal (NFC), piled-up marks. A backslash before `u{` or `{` is
 * escaped itself, so no text can feign an escape. Longer than `maxLength` characters, it is cut in
 * the middle only: `start\{1234 characters cut}end`.
 *
 * RangeError where `maxLength` is below SHOWN_CHARS_MIN.
 */
export function escapeUntrusted(text: string, maxLength = SHOWN_CHARS_MAX): string {
  if (maxLength < SHOWN_CHARS_MIN) throw new RangeError('maxLength below SHOWN_CHARS_MIN')
  if (text.length <= maxLength && PLAIN.test(text)) return text
  if (text.length <= 2 * maxLength) {
    const shown = escapeAll(text)
    const length = shown.reduce((sum, piece) => sum + piece.length, 0)
    return length <= maxLength ? shown.join('') : cutMiddle(shown, shown, 0, maxLength)
  }
  // Each character shows as at least half its code units, so neither end needs more than these.
  const headEnd = boundary(text, maxLength)
  const tailStart = boundary(text, text.length - maxLength)
  let between = 0
  for (const _ of text.slice(headEnd, tailStart)) between += 1
  const head = escapeAll(text.slice(0, headEnd))
  return cutMiddle(head, escapeAll(text.slice(tailStart)), between, maxLength)
}

/** `text` as escapeUntrusted shows it, white space and line ends first made single spaces. */
export function oneLine(text: string, maxLength = SHOWN_CHARS_MAX): string {
  return escapeUntrusted(text.replaceAll(/[ \t\r\n]+/g, ' ').replaceAll(/^ | $/g, ''), maxLength)
}

/** The lines of `text`, at LF or CR LF, each as escapeUntrusted shows it: for diffs and code. */
export function escapeLines(text: string, maxLength = SHOWN_CHARS_MAX): string[] {
  return text.split(/\r?\n/).map((line) => escapeUntrusted(line, maxLength))
}

/** What stands beside a name in which letters of scripts meet that are not written together. */
export const MIXED_SCRIPTS = '(mixed scripts)'

/**
 * A name that somebody else chose, in backticks that it cannot leave, as escapeUntrusted shows it: what stands
 * outside of them is ours, whatever the name says. Where its letters are of mixed scripts, that is said behind it.
 */
export function quotedName(name: string, maxLength = SHOWN_CHARS_MAX): string {
  return flagged(`\`${escapeUntrusted(name, maxLength).replaceAll('`', '\\u{60}')}\``)
}

/** A text that is shown already, with the warning behind it where letters of mixed scripts meet in it. */
export function flagged(shown: string): string {
  return hasMixedScripts(shown) && !shown.includes(MIXED_SCRIPTS)
    ? `${shown} ${MIXED_SCRIPTS}`
    : shown
}

/**
 * A text that was made for a terminal already, with nothing left in it that could move the cursor, turn a line
 * around or hide: for whatever comes from a file or a gate that may lie. Escapes stay as they are.
 */
export function withoutHidden(text: string): string {
  if (PRINTABLE.test(text)) return text
  return Array.from(text, (each) =>
    each !== ' ' && HIDDEN.test(each) ? escapeOf(each) : each,
  ).join('')
}

/** Moves an index off the middle of a surrogate pair. */
function boundary(text: string, index: number): number {
  const inPair = (text.codePointAt(index - 1) ?? 0) > 0xffff
  return inPair ? index + 1 : index
}

/** What is shown for each character of `text`. */
function escapeAll(text: string): string[] {
  const composed = text.normalize('NFC') === text
  const characters = Array.from(text)
  let marks = MARKS_MAX
  return characters.map((character, index) => {
    if (character === '\\') {
      marks = 0
      const next = characters[index + 1]
      const feigned = next === '{' || (next === 'u' && characters[index + 2] === '{')
      return feigned ? escapeOf(character) : character
    }
    if (HIDDEN.test(character) && character !== ' ') {
      marks = MARKS_MAX
      return escapeOf(character)
    }
    if (MARK.test(character)) {
      marks += 1
      return composed && marks <= MARKS_MAX ? character : escapeOf(character)
    }
    // A mark must not join the space or the quote before it, so only other characters carry one.
    marks = /[\p{L}\p{N}]/u.test(character) ? 0 : MARKS_MAX
    return composed || character.normalize('NFC') === character ? character : escapeOf(character)
  })
}

function escapeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}

/** The start of `head` and the end of `tail`, which are one text where `between` is nought. */
function cutMiddle(
  head: readonly string[],
  tail: readonly string[],
  between: number,
  maxLength: number,
): string {
  const total = head === tail ? head.length : head.length + between + tail.length
  const room = maxLength - cutNote(total).length
  let start = ''
  let kept = 0
  for (const piece of head) {
    if (start.length + piece.length > Math.ceil(room / 2)) break
    start += piece
    kept += 1
  }
  let end = ''
  for (const piece of tail.toReversed()) {
    if (end.length + piece.length > Math.floor(room / 2)) break
    end = piece + end
    kept += 1
  }
  return `${start}${cutNote(total - kept)}${end}`
}

function cutNote(count: number): string {
  return `\\{${count} characters cut}`
}

/** Scripts that are written together, Latin with each: UTS 39 section 5.2, Highly Restrictive. */
const TOGETHER: readonly RegExp[] = [
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Zyyy}\p{scx=Zinh}]*$/u,
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Bopo}\p{scx=Zyyy}\p{scx=Zinh}]*$/u,
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Hang}\p{scx=Zyyy}\p{scx=Zinh}]*$/u,
]
/** The other recommended scripts, UAX 31 table 5. A script on no list counts as mixed. */
const ALONE: readonly RegExp[] = [
  ...['Arab', 'Armn', 'Beng', 'Cyrl', 'Deva', 'Ethi', 'Geor', 'Grek', 'Gujr', 'Guru', 'Hebr'],
  ...['Khmr', 'Knda', 'Laoo', 'Mlym', 'Mymr', 'Orya', 'Sinh', 'Taml', 'Telu', 'Thaa', 'Thai'],
  'Tibt',
].map((script) => new RegExp(`^[\\p{scx=${script}}\\p{scx=Zyyy}\\p{scx=Zinh}]*$`, 'u'))
/** Letters of no script that stand for those of one, as bold mathematical a; not the micro sign. */
const STYLED = /[[\p{L}&&\p{sc=Zyyy}]--[\u{b5}\p{Lm}]]/v

/**
 * True where letters of scripts that are not written together meet in `text`, as in `аdmin` with a
 * Cyrillic first letter, or where a letter is a styled twin of another. To be shown as a warning
 * beside the text; it proves nothing either way.
 */
export function hasMixedScripts(text: string): boolean {
  if (PLAIN.test(text)) return false
  if (STYLED.test(text)) return true
  return ![...TOGETHER, ...ALONE].some((script) => script.test(text))
}
