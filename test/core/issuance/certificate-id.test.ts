import test from 'ava'
import {
  encodeCertificateId,
  parseCertificateId,
} from '../../../src/core/issuance/certificate-id.ts'

// RFC 9773 Appendix A.
const keyIdentifier = Buffer.from('69885B6B874640411A0F27F8E2DF6B1F0E1C7A7B'.padEnd(40), 'hex')
const serial = Buffer.from('00870F1D2A', 'hex')

test('an identifier is the key identifier and the serial number with a dot between', t => {
  const bytes = Buffer.from('69885B6B87464041E1B37B847BA0AE2CDE01C8D4', 'hex')
  const text = encodeCertificateId({
    keyIdentifier: bytes,
    serial: Buffer.from('0087654321', 'hex'),
  })
  // RFC 9773 §4.1
  t.is(text, 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')
  t.deepEqual(parseCertificateId(text), {
    keyIdentifier: Buffer.from(bytes),
    serial: Buffer.from('0087654321', 'hex'),
  })
})

test('what is written is read again', t => {
  const id = { keyIdentifier, serial }
  t.deepEqual(parseCertificateId(encodeCertificateId(id)), id)
})

test('anything but two texts of base64url, each of a length that occurs, is no identifier', t => {
  const long = 'A'.repeat(44)
  for (const text of [
    '',
    '.',
    'AA',
    'AA.',
    '.AA',
    'AA.AA.AA',
    'A=.AA',
    'AA.AB',
    'A A.AA',
    `${long}.AA`,
  ])
    t.is(parseCertificateId(text), undefined, text)
  t.truthy(parseCertificateId('AA.AA'))
})
