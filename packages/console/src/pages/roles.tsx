// An export of IAM, read in this browser: who can take down production without a reviewer, worst first.
import type { Audit } from '@seconder/replay/roles/finding'
import { type FormEvent, useRef } from 'react'
import { FileDrop } from '../parts/file-drop.tsx'
import { Keep, ReportStanding } from '../parts/report-frame.tsx'
import { RolesReport } from '../parts/roles-report.tsx'
import { plural } from '../parts/words.ts'
import { chosenFiles } from '../reports/given.ts'
import type { GivenFile, RolesOptions } from '../reports/messages.ts'
import { useReport } from '../reports/use-report.ts'

export default function Roles() {
  const made = useReport('roles')
  const { standing, start, fail, clear } = made
  const form = useRef<HTMLFormElement>(null)
  const begin = (files: readonly GivenFile[]) => {
    try {
      start({ is: 'roles', files, options: optionsOf(new FormData(form.current ?? undefined)) })
    } catch (cause) {
      const { message, help = 'choose them again' } = cause as { message: string; help?: string }
      fail(message, help)
    }
  }
  return (
    <>
      <header className="page-head">
        <h1>Roles</h1>
        {standing.is === 'audited' && <Whose audit={standing.audit} />}
      </header>
      <ReportStanding made={made} />
      {standing.is === 'nothing' && (
        <>
          <p>
            Who can take down production without a reviewer, who can make himself more, and who goes
            round the gate: from an export of IAM and this gate’s environments, roles and limbs.
          </p>
          <Options form={form} />
          <FileDrop
            what="an IAM export (.json, .json.gz), one an account"
            takesFolders={false}
            onFiles={begin}
            onFault={fail}
          />
          <p>
            <code>aws iam get-account-authorization-details &gt; authz.json</code> makes it; what is
            chosen above is read with it. With SARIF, or the least policy of a role:{' '}
            <code>seconder roles audit authz.json</code>
          </p>
        </>
      )}
      {standing.is === 'audited' && (
        <>
          <Keep name="roles" html={standing.html} json={standing.audit} onAgain={clear} />
          <RolesReport audit={standing.audit} />
        </>
      )}
    </>
  )
}

function Options({ form }: { readonly form: React.RefObject<HTMLFormElement | null> }) {
  return (
    <form
      ref={form}
      className="options"
      onSubmit={(event: FormEvent) => event.preventDefault()}
      autoComplete="off"
    >
      <label>
        Agents beside the gate’s roles
        <input name="agents" placeholder="agent-*, *-bot" />
      </label>
      <label>
        Meant to go on without the gate
        <input name="except" placeholder="role/sre-*" />
      </label>
      <label>
        The gate’s own role
        <input name="gate" placeholder="arn:aws:iam::123456789012:role/seconder" />
      </label>
      <label>
        SCPs and RCPs, an organizations export
        <input name="organization" type="file" accept=".json,.gz" />
      </label>
      <label>
        A trail, for what is not used
        <input name="trail" type="file" multiple {...{ webkitdirectory: '' }} />
      </label>
    </form>
  )
}

function optionsOf(form: FormData): RolesOptions {
  const list = (name: string) =>
    String(form.get(name) ?? '')
      .split(/[\s,]+/)
      .filter((text) => text !== '')
  // A chooser that nobody used gives one file without a name.
  const files = (name: string) =>
    chosenFiles(
      form
        .getAll(name)
        .filter((given): given is File => given instanceof File && given.name !== ''),
    )
  return {
    ...{ agents: list('agents'), except: list('except'), gate: list('gate')[0] ?? '' },
    organization: files('organization')[0] ?? null,
    trail: files('trail'),
  }
}

function Whose({ audit: { principals, accounts } }: { readonly audit: Audit }) {
  const users = principals.filter(({ kind }) => kind === 'user').length
  return (
    <p className="quiet">
      {plural(users, 'user')} and {plural(principals.length - users, 'role')} in{' '}
      {accounts.map((account) => (
        <code key={account}>{account} </code>
      ))}
    </p>
  )
}
