// Entries one after another, as an array has them or as they lie in the bytes of a record: how many there
// are, and each as a view.

export interface EntryList {
  readonly length: number
  at(position: number): Uint8Array | undefined
}
