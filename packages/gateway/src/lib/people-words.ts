// A change of people in words, made from the change alone: what a member confirms is what is signed. Runs in
// browsers.
import type { PeopleChange } from './people-change.ts'

/** One line for people: names, fingerprints and addresses only. */
export function changeWords(change: PeopleChange, fingerprints: readonly string[] = []): string {
  const { person } = change
  switch (change.kind) {
    case 'add-person': {
      const teams = change.teams.length > 0 ? ` of ${change.teams.join(', ')}` : ' of no team'
      const ids = change.identities.map(({ issuer, subject }) => `${subject} at ${issuer}`)
      const known = [...fingerprints, ...ids].join(', ')
      return `add ${person}${teams}${known === '' ? '' : `, known by ${known}`}`
    }
    case 'remove-person':
      return `remove ${person} with every key, session and open approval`
    case 'add-key':
      return `add a key of ${person}: ${fingerprints.join(', ')}`
    case 'remove-key':
      return `remove the key ${change.fingerprint} of ${person}`
    case 'add-team':
      return `add ${person} to ${change.team}`
    case 'remove-team':
      return `take ${person} out of ${change.team}`
    case 'add-identity':
      return `link ${change.identity.subject} at ${change.identity.issuer} to ${person}`
    case 'remove-identity':
      return `unlink ${change.identity.subject} at ${change.identity.issuer} from ${person}`
  }
}
