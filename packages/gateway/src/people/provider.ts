// Signs people in through their company's identity provider (OpenID Connect): for reading alone, as the member
// that two others have linked this issuer and subject to. It makes nobody a member and gives nobody a team.
import { readFileSync } from 'node:fs'
import * as oidc from 'openid-client'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import type { OidcRow } from './people-config.ts'
import type { SignedIn, SignIns } from './sign-in.ts'

/** How long somebody may take at the provider, in milliseconds, and how many are there at once. */
export const FLOW_MS = 10 * 60_000
const FLOWS_MAX = 1_000
const TIMEOUT_SECONDS = 10

export interface ProviderOptions {
  readonly row: OidcRow
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly signIns: SignIns
  /** Where the provider sends people back to. */
  readonly returnUrl: () => string
}

interface Flow {
  readonly verifier: string
  readonly state: string
  readonly nonce: string
  readonly peer: string | null
  readonly untilMs: number
}

export class Provider {
  readonly #options: ProviderOptions
  readonly #flows = new Map<string, Flow>()
  #configuration: Promise<oidc.Configuration> | null = null

  constructor(options: ProviderOptions) {
    this.#options = options
  }

  /** Begins: where to send the browser, and what it must bring back (in a cookie of its own). */
  async begin(peer: string | null): Promise<{ readonly url: string; readonly flow: string }> {
    const configuration = await this.#discovered()
    const flow = oidc.randomState()
    const [verifier, state, nonce] = [
      oidc.randomPKCECodeVerifier(),
      oidc.randomState(),
      oidc.randomNonce(),
    ]
    if (this.#flows.size >= FLOWS_MAX) {
      const [oldest] = this.#flows.keys()
      if (oldest !== undefined) this.#flows.delete(oldest)
    }
    const untilMs = this.#options.clock.nowMs() + FLOW_MS
    this.#flows.set(flow, { verifier, state, nonce, peer, untilMs })
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#options.returnUrl(),
      scope: 'openid',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    return { url: url.href, flow }
  }

  /**
   * Ends: `search` is what the provider sent the browser back with, `flow` what that browser kept.
   * Errors: `sign_in_needed`, in words of what is missing.
   */
  async end(flow: string, search: string, peer: string | null): Promise<SignedIn> {
    const { store, recorder, clock, signIns, returnUrl } = this.#options
    const begun = this.#flows.get(flow)
    this.#flows.delete(flow)
    if (!begun || begun.untilMs <= clock.nowMs() || begun.peer !== peer) {
      throw refused('it was not begun in this browser, or took longer than ten minutes')
    }
    const { issuer, subject } = await this.#claimed(new URL(`${returnUrl()}${search}`), begun)
    const person = await store.personByIdentity({ issuer, subject })
    if (!person) {
      throw new GatewayError(
        'sign_in_needed',
        'whom the identity provider names is linked to no member of this gate',
        'let two members link you: seconder people identity add NAME ISSUER SUBJECT',
      )
    }
    await recorder.record({ type: 'signed-in', person: person.name, use: 'provider', act: null })
    return signIns.byProvider(person.name, peer)
  }

  async #claimed(url: URL, { verifier, state, nonce }: Flow) {
    try {
      const tokens = await oidc.authorizationCodeGrant(await this.#discovered(), url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims) return { issuer: claims.iss, subject: claims.sub }
    } catch (cause) {
      throw refused('the identity provider did not vouch for anybody', cause)
    }
    throw refused('the identity provider named nobody')
  }

  /** Asked for once; a failure is not kept. */
  #discovered(): Promise<oidc.Configuration> {
    this.#configuration ??= this.#discover().catch((cause: unknown) => {
      this.#configuration = null
      throw refused('the identity provider could not be reached', cause)
    })
    return this.#configuration
  }

  async #discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecretFile } = this.#options.row
    const secret = clientSecretFile && readFileSync(clientSecretFile, 'utf8').trim()
    const authentication = secret ? oidc.ClientSecretPost(secret) : oidc.None()
    // By http only a provider on this very host can be named: see OIDC in people-config.ts.
    const onThisHost = issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []
    return oidc.discovery(new URL(issuer), clientId, {}, authentication, {
      // Tokens are held to the provider's keys too, not to the connection that they came over alone.
      execute: [oidc.enableNonRepudiationChecks, ...onThisHost],
      timeout: TIMEOUT_SECONDS,
    })
  }
}

function refused(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'sign_in_needed',
    `the sign-in is refused: ${why}`,
    'begin again on the page of this gate',
    cause === undefined ? undefined : { cause },
  )
}
