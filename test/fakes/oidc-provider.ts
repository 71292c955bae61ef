// An OpenID provider that speaks the protocol: discovery, authorization by redirect, tokens for a code with PKCE,
// keys. It checks what a provider checks, and lies as a test tells it to.
// Source: https://openid.net/specs/openid-connect-core-1_0.html sections 3.1.2, 3.1.3; RFC 7636 section 4.6
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Lies {
  readonly nonce?: string
  readonly audience?: string
  readonly issuer?: string
  readonly badSignature?: boolean
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

export class OidcProvider {
  /** Who signs in next, and what is wrong with what is said of them. */
  subject = 'subject-1'
  lies: Lies = {}
  readonly #pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #codes = new Map<string, URLSearchParams>()
  readonly #server = http.createServer(
    (incoming, outgoing) => void this.#answer(incoming, outgoing),
  )

  static async start(): Promise<OidcProvider> {
    const provider = new OidcProvider()
    provider.#server.listen(0, '127.0.0.1')
    await new Promise((resolve) => provider.#server.once('listening', resolve))
    return provider
  }

  get issuer(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', this.issuer)
    const json = (value: object, status = 200) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify(value))
    }
    if (pathname === '/.well-known/openid-configuration') return json(this.#metadata())
    if (pathname === '/keys') {
      return json({
        keys: [
          {
            ...this.#pair.publicKey.export({ format: 'jwk' }),
            kid: 'one',
            alg: 'RS256',
            use: 'sig',
          },
        ],
      })
    }
    if (pathname === '/authorize') {
      const code = randomBytes(16).toString('hex')
      this.#codes.set(code, searchParams)
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.search = new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString()
      outgoing.writeHead(302, { location: back.href })
      outgoing.end()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const asked = new URLSearchParams(Buffer.concat(chunks).toString())
    const begun = this.#codes.get(asked.get('code') ?? '')
    this.#codes.delete(asked.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url')
    if (!begun || begun.get('code_challenge') !== challenge)
      return json({ error: 'invalid_grant' }, 400)
    return json({ access_token: 'a', token_type: 'Bearer', id_token: this.#idToken(begun) })
  }

  #metadata(): object {
    const { issuer } = this
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    }
  }

  #idToken(begun: URLSearchParams): string {
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: this.lies.issuer ?? this.issuer,
      sub: this.subject,
      aud: this.lies.audience ?? begun.get('client_id'),
      nonce: this.lies.nonce ?? begun.get('nonce'),
      iat: now,
      exp: now + 60,
    }
    const signed = `${base64url({ alg: 'RS256', kid: 'one' })}.${base64url(claims)}`
    const signature = sign('sha256', Buffer.from(signed), this.#pair.privateKey)
    if (this.lies.badSignature) signature[0] = (signature[0] ?? 0) ^ 1
    return `${signed}.${signature.toString('base64url')}`
  }
}
