// AssemblyScript (https://www.assemblyscript.org), built to event-scanner.wasm by `npm run scanner`.
//
// Walks the events in its window and makes the row of each whose caller, call, program and error were met before,
// known by their bytes. What is new, and every event that is odd in any way, goes back to the gatherer in
// JavaScript (src/store/gatherer.ts), which alone knows what bytes mean.
import {
  addField,
  addNumber,
  addPiece,
  beginKey,
  find,
  foundMore,
  keep,
  setAside,
  takeUp,
} from './keys'
import { putId, putTime } from './marks'
import { MEMBERS_MAX, splitParameters, stayingCount } from './passing'
import {
  AGENT,
  agents,
  CATEGORY,
  calls,
  ERROR,
  errors,
  FIELDS,
  fieldNames,
  from,
  IDENTITY,
  keyA,
  keyB,
  looks,
  MANAGEMENT,
  NAME,
  PARAMETERS,
  places,
  RECIPIENT,
  REGION,
  rests,
  rows,
  rowsMax,
  SHARED,
  SOURCE,
  staying,
  TYPE,
  to,
  whos,
} from './places'
import {
  BACKSLASH,
  BROKEN,
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  CUT,
  end,
  endOfString,
  endOfValue,
  nameAt,
  OPEN,
  QUOTE,
  setEnd,
  skipSpace,
} from './walk'

export { setUp } from './places'

// Answers of `next` beside CUT and BROKEN; those are of src/store/event-scanner.ts.
const FULL: i32 = 1
const ENDED: i32 = 2
const ODD: i32 = 3
const NEW_WHO: i32 = 4
const NEW_CALL: i32 = 5
const NEW_LOOK: i32 = 6
const NEW_AGENT: i32 = 7
const NEW_ERROR: i32 = 8

// What is asked next of an event.
const READ: i32 = 0
const WHO: i32 = 1
const CALL: i32 = 2
const LOOK: i32 = 3
const PROGRAM: i32 = 4
const FAILED: i32 = 5
const DONE: i32 = 6

const ROW_BYTES: u32 = 36

/** The next byte that is read; where the event that `next` speaks of begins and ends. */
export let at: u32 = 0
export let eventAt: u32 = 0
export let eventEnd: u32 = 0
/** Rows made and not taken yet; events and other records since `begin`. */
export let count: u32 = 0
export let events: u32 = 0
export let others: u32 = 0
/** Of NEW_CALL: whether it is known without its passing members. */
export let isSplit: i32 = 0

let isList: i32 = 0
/** Whether looks may be known without their passing members. */
let isSplitting: i32 = 1
let stage: i32 = READ
let isOdd: i32 = 0
let flags: u32 = 0
let account: u32 = 0
/** Whether the call is a look; -1 where that is not known. */
let look: i32 = -1

/** Sets the places of the fields; the index behind the event at `brace`, CUT or BROKEN. */
function readEvent(brace: u32): i32 {
  memory.fill(places, 0, FIELDS << 3)
  isOdd = 0
  let index = skipSpace(brace + 1)
  if (index < end && load<u8>(index) == CLOSE) return index + 1
  while (true) {
    if (index >= end) return CUT
    if (load<u8>(index) != QUOTE) return BROKEN
    const keyEnd = endOfString(index)
    if (keyEnd < 0) return keyEnd
    const name = nameAt(fieldNames, index + 1, keyEnd - 2 - index)
    if (name < 0) isOdd |= hasEscape(index + 1, keyEnd - 1)
    index = skipSpace(keyEnd)
    if (index >= end) return CUT
    if (load<u8>(index) != COLON) return BROKEN
    const value = skipSpace(index + 1)
    if (value >= end) return CUT
    const behind = endOfValue(value)
    if (behind < 0) return behind
    if (name >= 0) {
      const place = places + (<u32>name << 3)
      store<u32>(place, value)
      store<u32>(place, behind, 4)
    }
    index = skipSpace(behind)
    if (index >= end) return CUT
    const byte: i32 = load<u8>(index)
    if (byte == CLOSE) return index + 1
    if (byte != COMMA) return BROKEN
    index = skipSpace(index + 1)
  }
}

function hasEscape(first: u32, last: u32): i32 {
  for (let index = first; index < last; index++) if (load<u8>(index) == BACKSLASH) return 1
  return 0
}

/** Another window to read; what was learned stays. */
export function open(from: u32, to: u32, list: i32, splitting: i32): void {
  at = from
  setEnd(to)
  isList = list
  isSplitting = splitting
  stage = READ
}

/** From here on events and others are counted anew: another file. */
export function beginFile(): void {
  events = 0
  others = 0
  stage = READ
}

/** Rows that are kept now: none where they were taken. */
export function setCount(value: u32): void {
  count = value
}

/** Reads on from `at`: what it met that is not known, or why it ends. */
export function next(): i32 {
  while (true) {
    if (stage == READ) {
      const found = begin()
      if (found != 0) return found
      // A record that is none of a call.
      if (stage == READ) continue
    }
    const asked = ask()
    if (asked != 0) return asked
    finish()
  }
}

/** As `next`, but nothing is made of what is walked: what the bench measures the rest against. */
export function skim(): i32 {
  while (true) {
    const found = begin()
    if (found != 0 && found != ODD) return found
    if (found == 0 && stage == READ) continue
    events++
    at = eventEnd
    stage = READ
  }
}

/** Over what stands between two events, and through the next; 0 where it is read whole. */
function begin(): i32 {
  if (count >= rowsMax) return FULL
  let index = skipSpace(at)
  if (index >= end) {
    if (isList == 0) at = index
    return CUT
  }
  const byte: i32 = load<u8>(index)
  if (byte == COMMA) index = skipSpace(index + 1)
  else if (byte == CLOSE_LIST && isList != 0) {
    at = index + 1
    return ENDED
  }
  eventAt = index
  if (index >= end) {
    if (isList == 0) at = index
    return CUT
  }
  if (load<u8>(index) != OPEN) return BROKEN
  const behind = readEvent(index)
  if (behind < 0) return behind
  eventEnd = behind
  if (isOdd != 0) return ODD
  if (to(NAME) == 0) {
    others++
    at = behind
    return 0
  }
  const row = rows + count * ROW_BYTES
  // What came to two accounts is two rows: the gatherer's work.
  if (to(SHARED) > 0 || !putTime(row) || !putId(row)) return ODD
  stage = WHO
  return 0
}

/** What of the event is not known; 0 where all is. */
function ask(): i32 {
  const row = rows + count * ROW_BYTES
  if (stage == WHO) {
    beginKey(keyA, whos)
    addField(IDENTITY)
    const who = find()
    if (who < 0) return NEW_WHO
    putWho(row, who, foundMore)
  }
  if (stage == CALL) {
    const asked = askCall(row)
    if (asked != 0) return asked
  }
  if (stage == PROGRAM) {
    beginKey(keyA, agents)
    addField(AGENT)
    const agent = find()
    if (agent < 0) return NEW_AGENT
    putAgent(row, agent)
  }
  if (stage == FAILED && to(ERROR) > 0) {
    beginKey(keyA, errors)
    addField(ERROR)
    const error = find()
    if (error < 0) return NEW_ERROR
    flags |= error
  }
  return 0
}

function askCall(row: u32): i32 {
  beginKey(keyA, calls)
  addHead()
  addField(PARAMETERS)
  const call = find()
  if (call >= 0) {
    putCall(row, call)
    return 0
  }
  setAside()
  if (isSplitting == 0 || !splitParameters(from(PARAMETERS), to(PARAMETERS))) return newWhole()
  if (stayingCount > MEMBERS_MAX) {
    stage = READ
    return ODD
  }
  if (look < 0) {
    beginKey(keyB, looks)
    addField(SOURCE)
    addField(NAME)
    look = find()
    if (look < 0) {
      stage = LOOK
      return NEW_LOOK
    }
  }
  if (look == 0) return newWhole()
  beginKey(keyB, rests)
  addHead()
  for (let member: i32 = 0; member < stayingCount; member++) {
    const place = staying + (<u32>member << 3)
    addPiece(load<u32>(place), load<u32>(place, 4))
  }
  isSplit = 1
  const alike = find()
  if (alike < 0) return NEW_CALL
  putCall(row, alike)
  return 0
}

/** All of a call but its parameters; the caller's account where the event names no recipient's. */
function addHead(): void {
  addField(SOURCE)
  addField(NAME)
  addField(TYPE)
  addField(REGION)
  addField(RECIPIENT)
  addNumber(to(RECIPIENT) > 0 ? 0 : account + 1)
}

function newWhole(): i32 {
  takeUp()
  isSplit = 0
  return NEW_CALL
}

function putWho(row: u32, who: i32, more: u32): void {
  store<u32>(row, who, 24)
  account = more >>> 1
  flags = (more & 1) << 2
  stage = CALL
}

function putCall(row: u32, call: i32): void {
  store<u32>(row, call, 20)
  look = -1
  stage = PROGRAM
}

function putAgent(row: u32, agent: i32): void {
  store<u32>(row, agent, 28)
  stage = FAILED
}

function finish(): void {
  // By length alone: `"Data"` or `"Management"`, `false` or `true`.
  if (to(CATEGORY) - from(CATEGORY) == 6) flags |= 8
  else if (to(MANAGEMENT) - from(MANAGEMENT) == 5) flags |= 8
  store<u32>(rows + count * ROW_BYTES, flags, 32)
  count++
  events++
  at = eventEnd
  stage = READ
}

/**
 * What the gatherer says of the news that `next` told: the number of the caller, call or program, whether
 * it is a look, or the flags of the error. `more` is of a caller: twice its account's number, and one for a service.
 */
export function answer(value: i32, more: u32): void {
  const row = rows + count * ROW_BYTES
  keep(value, more)
  if (stage == WHO) putWho(row, value, more)
  else if (stage == CALL) putCall(row, value)
  else if (stage == PROGRAM) putAgent(row, value)
  else if (stage == LOOK) {
    look = value
    stage = CALL
  } else if (stage == FAILED) {
    flags |= value
    stage = DONE
  }
}

/** Over an odd event, of which the gatherer made a row, or which is a record of another kind. */
export function step(eventsMade: u32, othersMade: u32): void {
  events += eventsMade
  others += othersMade
  at = eventEnd
  look = -1
  stage = READ
}
