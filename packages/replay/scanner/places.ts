// AssemblyScript (https://www.assemblyscript.org), part of event-scanner.wasm: see event-scanner.ts.
// Where in memory each thing stands: told once by the JavaScript that made the memory, in the order of these.
// Source of the order: packages/replay/src/store/scanner-memory.ts.

/** From and to of each field of the event, in the order of FIELDS in src/trail/raw-event.ts. */
export let places: u32
export let fieldNames: u32
export let passingNames: u32
/** A byte for each of 256: whether it is a plain letter; and what digit it is. */
export let plainLetters: u32
export let hexDigits: u32
export let staying: u32
export let keyA: u32
export let keyB: u32
export let rows: u32
export let rowsMax: u32
export let whos: u32
export let calls: u32
export let rests: u32
export let looks: u32
export let agents: u32
export let errors: u32
export let seed: u64

export function setUp(list: u32, chance: u64): void {
  places = load<u32>(list)
  fieldNames = load<u32>(list, 4)
  passingNames = load<u32>(list, 8)
  plainLetters = load<u32>(list, 12)
  hexDigits = load<u32>(list, 16)
  staying = load<u32>(list, 20)
  keyA = load<u32>(list, 24)
  keyB = load<u32>(list, 28)
  rows = load<u32>(list, 32)
  rowsMax = load<u32>(list, 36)
  whos = load<u32>(list, 40)
  calls = load<u32>(list, 44)
  rests = load<u32>(list, 48)
  looks = load<u32>(list, 52)
  agents = load<u32>(list, 56)
  errors = load<u32>(list, 60)
  seed = chance
}

// Places of fields.
export const SOURCE: i32 = 0
export const NAME: i32 = 1
export const TIME: i32 = 2
export const ID: i32 = 3
export const TYPE: i32 = 4
export const CATEGORY: i32 = 5
export const REGION: i32 = 6
export const ERROR: i32 = 7
export const AGENT: i32 = 8
export const IDENTITY: i32 = 10
export const PARAMETERS: i32 = 11
export const RECIPIENT: i32 = 14
export const SHARED: i32 = 15
export const MANAGEMENT: i32 = 16
export const FIELDS: i32 = 19

export function from(field: i32): u32 {
  return load<u32>(places + (<u32>field << 3))
}

export function to(field: i32): u32 {
  return load<u32>(places + (<u32>field << 3), 4)
}
