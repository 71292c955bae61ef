// Where a person drops files, or chooses them by the keyboard. They go to whoever asked, nowhere else.
import { type DragEvent, useRef, useState } from 'react'
import { chosenFiles, droppedFiles } from '../reports/given.ts'
import type { GivenFile } from '../reports/messages.ts'

interface FileDropProps {
  readonly what: string
  readonly takesFolders: boolean
  readonly onFiles: (files: readonly GivenFile[]) => void
  readonly onFault: (message: string, help: string) => void
}

export function FileDrop({ what, takesFolders, onFiles, onFault }: FileDropProps) {
  const [isOver, setIsOver] = useState(false)
  const hand = (given: () => readonly GivenFile[] | Promise<readonly GivenFile[]>) => {
    Promise.resolve()
      .then(given)
      .then(
        (files) => {
          if (files.length > 0) onFiles(files)
        },
        ({ message, help }: { message?: string; help?: string }) =>
          onFault(message ?? 'the files cannot be read', help ?? 'choose them again'),
      )
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setIsOver(false)
    const files = droppedFiles(event.dataTransfer)
    hand(() => files)
  }
  return (
    <section
      className={isOver ? 'drop drop-over' : 'drop'}
      aria-label={`Drop ${what}`}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <p>Drop {what} here, or</p>
      <div className="buttons">
        <Chooser label="Choose files" onChosen={(list) => hand(() => chosenFiles(list))} />
        {takesFolders && (
          <Chooser
            label="Choose a folder"
            isFolder
            onChosen={(list) => hand(() => chosenFiles(list))}
          />
        )}
      </div>
      <p className="quiet small">
        Nothing leaves this machine: the files are read in this browser, by a worker that its policy
        lets connect to nothing.
      </p>
    </section>
  )
}

interface ChooserProps {
  readonly label: string
  readonly isFolder?: boolean
  readonly onChosen: (list: readonly File[]) => void
}

function Chooser({ label, isFolder = false, onChosen }: ChooserProps) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label={label}
        {...(isFolder && { webkitdirectory: '' })}
        onChange={({ currentTarget }) => {
          // The list is emptied below: what is in it is taken before.
          onChosen([...(currentTarget.files ?? [])])
          currentTarget.value = '' // the same files may be chosen again
        }}
      />
    </>
  )
}
