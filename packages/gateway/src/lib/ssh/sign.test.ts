// Both directions against OpenSSH where it is installed; without it these tests say so and skip.

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { agentKeys, agentSign } from './agent.ts'
import { SshError, type SshErrorCode } from './errors.ts'
import { generateEd25519KeyFile, KEY_COMMENT_CHARS_MAX, KEY_FILE_BYTES_MAX } from './private-key.ts'
import { parsePublicKey } from './public-key.ts'
import { type SshSigning, signSshMessage } from './sign.ts'
import { SSH_MESSAGE_BYTES_MAX, verifySshSignature } from './sshsig.ts'
import { wireString } from './wire.ts'

const NAMESPACE = 'seconder-review@v1'
const MESSAGE = '{"verdict":"approve"}'
const FOLDER = mkdtempSync(join(tmpdir(), 'ssh-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const present = (program: string): boolean => spawnSync(program, ['-?']).error === undefined
const HAS_KEYGEN = present('ssh-keygen')
const HAS_AGENT = HAS_KEYGEN && present('ssh-agent') && present('ssh-add')

let count = 0
function fresh(): string {
  count += 1
  return join(FOLDER, `key${count}`)
}

/** Signs without OpenSSH unless `change` brings some in. */
function signing(keyPath: string, change: Partial<SshSigning> = {}): SshSigning {
  const base = { message: MESSAGE, namespace: NAMESPACE, keyPath, agentSocket: undefined }
  return { ...base, keygen: null, ...change }
}

async function codeOf(work: Promise<unknown>): Promise<SshErrorCode> {
  try {
    await work
  } catch (error) {
    if (error instanceof SshError) return error.code
    throw error
  }
  throw new Error('it was done')
}

function verifies(armored: string, keyPath: string): void {
  const publicKey = parsePublicKey(readFileSync(`${keyPath}.pub`, 'utf8'))
  const request = { armored, message: MESSAGE, namespace: NAMESPACE, publicKey }
  expect(verifySshSignature(request).fingerprint).toBe(publicKey.fingerprint)
  if (HAS_KEYGEN) expect(keygenVerify(armored, keyPath, MESSAGE)).toBe(0)
}

function keygenVerify(armored: string, keyPath: string, message: string): number | null {
  const signers = `${keyPath}.signers`
  writeFileSync(signers, `alice ${readFileSync(`${keyPath}.pub`, 'utf8')}`)
  writeFileSync(`${keyPath}.sig`, armored)
  const files = ['-f', signers, '-s', `${keyPath}.sig`]
  const args = ['-Y', 'verify', '-I', 'alice', '-n', NAMESPACE, ...files]
  return spawnSync('ssh-keygen', args, { input: message }).status
}

function keygenKey(type: string, bits = '', passphrase = ''): string {
  const path = fresh()
  const size = bits === '' ? [] : ['-b', bits]
  const made = spawnSync('ssh-keygen', ['-q', '-t', type, ...size, '-N', passphrase, '-f', path])
  expect(made.status).toBe(0)
  return path
}

test('a key file made here signs here, and only its owner may read it', async () => {
  const path = fresh()
  const key = await generateEd25519KeyFile(path, 'alice@example.com')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(parsePublicKey(readFileSync(`${path}.pub`, 'utf8'))).toMatchObject({
    fingerprint: key.fingerprint,
    comment: 'alice@example.com',
  })
  verifies(await signSshMessage(signing(path)), path)
})

test('an existing key file is never written over', async () => {
  const path = fresh()
  await generateEd25519KeyFile(path, '')
  const before = readFileSync(path)
  expect(await codeOf(generateEd25519KeyFile(path, ''))).toBe('key_unreadable')
  expect(readFileSync(path)).toEqual(before)
  expect(readFileSync(`${path}.pub`, 'utf8')).toMatch(/^ssh-ed25519 \S+\n$/)
})

test('a comment passes up to its limit, and a longer or odd one does not', async () => {
  for (let length = 0; length < 9; length += 1) {
    const path = fresh()
    await generateEd25519KeyFile(path, 'c'.repeat(length))
    verifies(await signSshMessage(signing(path)), path)
  }
  await generateEd25519KeyFile(fresh(), 'c'.repeat(KEY_COMMENT_CHARS_MAX))
  for (const comment of ['c'.repeat(KEY_COMMENT_CHARS_MAX + 1), 'a\nb', 'é']) {
    expect(await codeOf(generateEd25519KeyFile(fresh(), comment))).toBe('malformed_key')
  }
})

test('a key file that is missing, too large or open to others is refused', async () => {
  const path = fresh()
  expect(await codeOf(signSshMessage(signing(path)))).toBe('key_unreadable')
  expect(await codeOf(signSshMessage(signing(`${path}.pub`)))).toBe('key_unreadable')
  expect(await codeOf(signSshMessage(signing(FOLDER)))).toBe('key_unreadable')
  await generateEd25519KeyFile(path, '')
  chmodSync(path, 0o640)
  expect(await codeOf(signSshMessage(signing(path)))).toBe('key_unreadable')
  chmodSync(path, 0o600)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text + '\n'.repeat(KEY_FILE_BYTES_MAX - text.length))
  verifies(await signSshMessage(signing(path)), path)
  writeFileSync(path, text + '\n'.repeat(KEY_FILE_BYTES_MAX - text.length + 1))
  expect(await codeOf(signSshMessage(signing(path)))).toBe('key_unreadable')
})

test('a key file with one byte changed signs nothing', async () => {
  const path = fresh()
  await generateEd25519KeyFile(path, 'c')
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  const bytes = Buffer.from(lines.slice(1, -1).join(''), 'base64')
  for (let at = 0; at < bytes.length; at += 1) {
    // The comment is nobody's business, and the check numbers only need to be equal.
    if (bytes[at] === 'c'.charCodeAt(0) && at > bytes.length - 9) continue
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    const body = changed.toString('base64')
    writeFileSync(path, [lines[0], body, lines.at(-1)].join('\n'))
    rmSync(`${path}.pub`, { force: true })
    await expect(signSshMessage(signing(path))).rejects.toThrow(SshError)
  }
})

test('a message passes up to its limit and not one past it', async () => {
  const path = fresh()
  await generateEd25519KeyFile(path, '')
  const message = Buffer.alloc(SSH_MESSAGE_BYTES_MAX)
  expect(await signSshMessage(signing(path, { message }))).toContain('SSH SIGNATURE')
  const longer = Buffer.alloc(SSH_MESSAGE_BYTES_MAX + 1)
  expect(await codeOf(signSshMessage(signing(path, { message: longer })))).toBe('message_too_large')
  await expect(signSshMessage(signing(path, { namespace: '' }))).rejects.toThrow(TypeError)
})

test('where ssh-keygen is not installed, a plain Ed25519 key signs without it', async () => {
  const path = fresh()
  await generateEd25519KeyFile(path, '')
  verifies(await signSshMessage(signing(path, { keygen: join(FOLDER, 'absent') })), path)
})

test('a program that fails or writes something else signs nothing', async () => {
  const path = fresh()
  await generateEd25519KeyFile(path, '')
  expect(await codeOf(signSshMessage(signing(path, { keygen: 'false' })))).toBe('keygen_failed')
  expect(await codeOf(signSshMessage(signing(path, { keygen: 'true' })))).toBe(
    'malformed_signature',
  )
  expect(await codeOf(signSshMessage(signing(path, { keygen: FOLDER })))).toBe('keygen_failed')
})

const KEYGEN_KEYS = [
  ['ed25519', ''],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
  ['rsa', '2048'],
  ['rsa', '3072'],
] as const

test.skipIf(!HAS_KEYGEN).each(KEYGEN_KEYS)(
  'ssh-keygen signs and both verify (skipped without ssh-keygen): %s %s',
  async (type, bits) => {
    const path = keygenKey(type, bits)
    const armored = await signSshMessage(signing(path, { keygen: 'ssh-keygen' }))
    verifies(armored, path)
    expect(keygenVerify(armored, path, `${MESSAGE} `)).not.toBe(0)
    if (type === 'ed25519') verifies(await signSshMessage(signing(path)), path)
    else expect(await codeOf(signSshMessage(signing(path)))).toBe('unsupported_key')
  },
)

test.skipIf(!HAS_KEYGEN)(
  'ssh-keygen signs with a key file made here, as itself (skipped without ssh-keygen)',
  async () => {
    const path = fresh()
    await generateEd25519KeyFile(path, 'alice@example.com')
    const [ours, theirs] = [
      await signSshMessage(signing(path)),
      await signSshMessage(signing(path, { keygen: 'ssh-keygen' })),
    ]
    expect(ours).toBe(theirs)
    const derived = spawnSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).stdout
    expect(derived.trim()).toBe(readFileSync(`${path}.pub`, 'utf8').trim())
  },
)

test.skipIf(!HAS_KEYGEN)(
  'a key with a passphrase needs an agent or ssh-keygen (skipped without ssh-keygen)',
  async () => {
    const path = keygenKey('ed25519', '', 'a passphrase')
    expect(await codeOf(signSshMessage(signing(path)))).toBe('key_encrypted')
  },
)

test.skipIf(!HAS_AGENT).each(KEYGEN_KEYS)(
  'ssh-agent signs and both verify (skipped without ssh-agent): %s %s',
  async (type, bits) => {
    const path = keygenKey(type, bits)
    const agentSocket = `${path}.agent`
    const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: ['ignore', 'pipe', 2] })
    try {
      await new Promise((resolve) => agent.stdout?.once('data', resolve))
      // The agent does not hold the key yet, so the file has to do.
      const before = signSshMessage(signing(path, { agentSocket }))
      if (type === 'ed25519') verifies(await before, path)
      else expect(await codeOf(before)).toBe('unsupported_key')
      const env = { ...process.env, SSH_AUTH_SOCK: agentSocket }
      expect(spawnSync('ssh-add', ['-q', path], { env }).status).toBe(0)
      rmSync(path)
      verifies(await signSshMessage(signing(path, { agentSocket })), path)
      verifies(await signSshMessage(signing(`${path}.pub`, { agentSocket })), path)
    } finally {
      agent.kill()
    }
  },
)

/** An agent that gives one fixed reply to each message. */
async function withAgent(
  reply: (type: number) => Uint8Array,
  act: (socketPath: string) => Promise<void>,
): Promise<void> {
  const path = `${fresh()}.agent`
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => socket.end(reply(data.readUInt8(4))))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    await act(path)
  } finally {
    server.close()
  }
}

test('an agent that is gone is passed over, one that refuses is an error', async () => {
  const path = fresh()
  const { blob } = await generateEd25519KeyFile(path, '')
  const gone = `${path}.gone`
  verifies(await signSshMessage(signing(path, { agentSocket: gone })), path)
  const one = Buffer.from([12, 0, 0, 0, 1])
  const keys = wireString(Buffer.concat([one, wireString(blob), wireString('comment')]))
  const refusal = wireString(Buffer.of(5))
  await withAgent(
    (type) => (type === 11 ? keys : refusal),
    async (agentSocket) => {
      expect(await agentKeys(agentSocket)).toEqual([Buffer.from(blob)])
      expect(await codeOf(signSshMessage(signing(path, { agentSocket })))).toBe('agent_failed')
    },
  )
  const zeros = Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(64))])
  const forged = wireString(Buffer.concat([Buffer.of(14), wireString(zeros)]))
  await withAgent(
    (type) => (type === 11 ? keys : forged),
    async (agentSocket) => {
      expect(await codeOf(signSshMessage(signing(path, { agentSocket })))).toBe('bad_signature')
    },
  )
})

test('an odd reply of an agent is an error', async () => {
  const replies = [
    Buffer.alloc(0),
    Buffer.alloc(4),
    Buffer.from([0, 0, 0, 9, 12]),
    Buffer.from([0, 4, 0, 1, 12]),
    wireString(Buffer.of(12)),
    wireString(Buffer.from([12, 0, 0, 0, 1])),
    wireString(Buffer.from([12, 0, 0, 8, 1])),
    wireString(Buffer.from([12, 0, 0, 0, 0, 0])),
    Buffer.concat([wireString(Buffer.from([12, 0, 0, 0, 0])), Buffer.of(0)]),
  ]
  for (const reply of replies) {
    await withAgent(
      () => reply,
      async (path) => {
        expect(await codeOf(agentKeys(path))).toBe('agent_failed')
        expect(await codeOf(agentSign(path, Buffer.of(1), Buffer.of(2)))).toBe('agent_failed')
      },
    )
  }
})
