// Files that a person chose or dropped, with folders walked whole. They are looked at here by name only.
// Source: https://wicg.github.io/entries-api/
import { type GivenFile, ReportFault } from './messages.ts'

/** Files of one report: past it, the command line. */
export const FILES_MAX = 20_000

/** Of an input: `webkitdirectory` gives paths within the folder. */
export function chosenFiles(list: readonly File[]): GivenFile[] {
  return limited(
    list.map((file) => {
      const inFolder = file.webkitRelativePath
      return { path: inFolder || file.name, file, isOfFolder: inFolder !== '' }
    }),
  )
}

/** Of a drop. The entries must be taken before anything is awaited: the list is empty afterwards. */
export function droppedFiles(transfer: DataTransfer): Promise<GivenFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file')
  const entries = items.flatMap((item) => item.webkitGetAsEntry() ?? [])
  // What another program drags may have no entry, and is a file all the same.
  const files = items.flatMap((item) => (item.webkitGetAsEntry() ? [] : (item.getAsFile() ?? [])))
  const bare = files.map((file) => ({ path: file.name, file, isOfFolder: false }))
  return walked(entries).then((found) => limited([...found, ...bare]))
}

async function walked(entries: readonly FileSystemEntry[]): Promise<GivenFile[]> {
  const found: GivenFile[] = []
  const add = async (entry: FileSystemEntry, isOfFolder: boolean): Promise<void> => {
    if (found.length > FILES_MAX) return
    if (isFile(entry)) {
      const file = await new Promise<File>((done, failed) => entry.file(done, failed))
      found.push({ path: entry.fullPath.replace(/^\//, ''), file, isOfFolder })
      return
    }
    for (const each of await inFolder(entry as FileSystemDirectoryEntry)) await add(each, true)
  }
  for (const entry of entries) await add(entry, false)
  return found
}

/** A reader gives a part of a folder at a time, and nothing at its end. */
async function inFolder(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) =>
      reader.readEntries(done, failed),
    )
    if (some.length === 0 || all.length > FILES_MAX) return all
    all.push(...some)
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function limited(files: GivenFile[]): GivenFile[] {
  if (files.length <= FILES_MAX) return files
  throw new ReportFault(
    `these are more than ${FILES_MAX.toLocaleString('en')} files`,
    'drop fewer weeks, or use the command line, which has no such limit',
  )
}
