// The command of the AWS CLI that puts one document of the wall in place. Words for a person: nothing here
// runs them. Source: https://docs.aws.amazon.com/cli/latest/reference/iam/ and .../organizations/
import type { WallDocument } from './documents.ts'

/** One line for a shell, in the folder of the files. */
export function applyCommand({ name, kind, role }: Omit<WallDocument, 'text'>): string {
  const file = `file://${name}.json`
  const holder = role?.slice(role.lastIndexOf('/') + 1) ?? ''
  switch (kind) {
    case 'trust':
      return `aws iam update-assume-role-policy --role-name ${holder} --policy-document ${file}`
    case 'gate': {
      const kindOf = role?.includes(':user/') ? 'user' : 'role'
      return `aws iam put-${kindOf}-policy --${kindOf}-name ${holder} --policy-name ${name} --policy-document ${file}`
    }
    case 'boundary':
      return `aws iam create-policy --policy-name ${name} --policy-document ${file}`
    case 'scp':
      return `aws organizations create-policy --type SERVICE_CONTROL_POLICY --name ${name} --description Seconder --content ${file}`
  }
}
