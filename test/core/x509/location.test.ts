import test from 'ava'
import { allowedLocation } from '../../../src/core/x509/location.ts'

const rule = { hosts: ['pki.example', '10.0.0.1', '[::1]'] }
const allowed = (text: string): string | undefined => allowedLocation(text, rule)?.href

test('a location on an allowed host may be fetched from, also without TLS and with spaces', t => {
  t.is(allowed('https://pki.example/ca.cer'), 'https://pki.example/ca.cer')
  t.is(allowed('http://PKI.example:80/Root CA 2111.cer'), 'http://pki.example/Root%20CA%202111.cer')
})

const refused = [
  'https://evil.example/ca.cer',
  'https://pki.example.evil.example/ca.cer',
  'https://pki.example@evil.example/ca.cer',
  'https://user@pki.example/ca.cer',
  'https://pki.example:8443/ca.cer',
  'http://169.254.169.254/latest/meta-data',
  'http://10.0.0.1/',
  'http://0x0a000001/',
  'http://[::1]/',
  'file:///etc/passwd',
  'ldap://pki.example/cn=ca',
  'ftp://pki.example/ca.cer',
  '//pki.example/ca.cer',
  '',
]

for (const text of refused) {
  test(`nothing is fetched from "${text}"`, t => {
    t.is(allowed(text), undefined)
  })
}
