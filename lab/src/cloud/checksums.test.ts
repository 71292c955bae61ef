import { expect, test } from 'vitest'
import { checkChecksums, checksum } from './checksums.ts'

const CHECK = Buffer.from('123456789')

function hex(algorithm: string): string {
  return Buffer.from(checksum(algorithm, CHECK), 'base64').toString('hex')
}

// The check values of https://reveng.sourceforge.io/crc-catalogue/all.htm: CRC-32/ISO-HDLC,
// CRC-32/ISCSI and CRC-64/NVME of the text 123456789.
test('each CRC has the check value of the catalogue', () => {
  expect(hex('crc32')).toBe('cbf43926')
  expect(hex('crc32c')).toBe('e3069283')
  expect(hex('crc64nvme')).toBe('ae8b14860a799888')
})

test('a right checksum passes and a wrong one is BadDigest', () => {
  const right = checksum('crc64nvme', CHECK)
  checkChecksums(CHECK, [['x-amz-checksum-crc64nvme', right]])
  const wrong = () => checkChecksums(Buffer.from('x'), [['x-amz-checksum-crc64nvme', right]])
  expect(wrong).toThrowError(expect.objectContaining({ code: 'BadDigest' }))
  const md5 = () => checkChecksums(CHECK, [['content-md5', 'AAAA']])
  expect(md5).toThrowError(expect.objectContaining({ code: 'BadDigest' }))
})

test('an algorithm S3 has not is refused and not skipped', () => {
  const odd = () => checkChecksums(CHECK, [['x-amz-checksum-crc16', 'AAA=']])
  expect(odd).toThrowError(expect.objectContaining({ code: 'InvalidRequest' }))
})
