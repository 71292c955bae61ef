import { expect, test } from 'vitest'
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  runningChecksum,
} from './checksum.ts'

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')

// Check values of `123456789`. CRCs: https://reveng.sourceforge.io/crc-catalogue/all.htm (CRC-32/ISO-HDLC,
// CRC-32/ISCSI, CRC-64/NVME). SHA: `printf 123456789 | sha1sum`, `sha256sum`.
const CHECK: Readonly<Record<ChecksumAlgorithm, string>> = {
  crc32: base64('cbf43926'),
  crc32c: base64('e3069283'),
  crc64nvme: base64('ae8b14860a799888'),
  sha1: base64('f7c3bc1d808e04732adf679965ccc34ca7ae3441'),
  sha256: base64('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'),
}

function over(algorithm: ChecksumAlgorithm, pieces: readonly Uint8Array[]): string {
  const running = runningChecksum(algorithm)
  for (const piece of pieces) running.update(piece)
  return running.digest()
}

test.each(CHECKSUM_ALGORITHMS)('%s has its published check value', (algorithm) => {
  expect(over(algorithm, [Buffer.from('123456789')])).toBe(CHECK[algorithm])
  expect(over(algorithm, [Buffer.from('123456788')])).not.toBe(CHECK[algorithm])
})

test.each(CHECKSUM_ALGORITHMS)('%s is the same however the bytes are cut', (algorithm) => {
  const bytes = Buffer.from(Uint8Array.from({ length: 1_000 }, (_, at) => (at * 7 + at / 3) & 0xff))
  const whole = over(algorithm, [bytes])
  for (const cut of [0, 1, 7, 8, 9, 500, 999, 1_000]) {
    expect(over(algorithm, [bytes.subarray(0, cut), bytes.subarray(cut)])).toBe(whole)
  }
  const single = [...bytes].map((byte) => Uint8Array.of(byte))
  expect(over(algorithm, single)).toBe(whole)
})

test('a checksum header is known by its name, and what is like it is not', () => {
  expect(checksumAlgorithm('X-Amz-Checksum-CRC64NVME')).toBe('crc64nvme')
  for (const name of ['x-amz-checksum-mode', 'x-amz-checksum-', 'x-amz-checksum-md5', 'crc32']) {
    expect(checksumAlgorithm(name), name).toBeUndefined()
  }
})
