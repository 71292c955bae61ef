// The disk that a browser has not. One file can be read: the service index, which the page hands to the worker
// before it begins (report-assets.ts). Everything else fails, in words.

const given = new Map<string, Uint8Array>()

/** Makes the bytes readable under the name that the build puts in the place of the file's address. */
export function give(name: string, bytes: Uint8Array): void {
  given.set(name, bytes)
}

export function readFileSync(name: string): Uint8Array {
  const bytes = given.get(name)
  if (bytes === undefined) throw new Error(`a browser has no file \`${name}\``)
  return bytes
}

function none(): never {
  throw new Error('a browser has no files')
}

export {
  none as closeSync,
  none as mkdtempSync,
  none as openSync,
  none as readdirSync,
  none as readSync,
  none as rmSync,
  none as statSync,
  none as writeSync,
}
