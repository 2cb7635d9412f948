import test from 'ava'
import { ConfigError, parseConfig, type Config } from '../src/config.ts'

const base = 'issuer: https://assay.example\ntrustDomain: example.org\n'

function endorsements(text: string): Config['endorsements'] {
  return parseConfig(`${base}endorsements: ${text}\n`, 'config.yaml').endorsements
}

test('unless it is said otherwise, revocation is recorded, thirty days count, and nothing is fetched', t => {
  t.deepEqual(parseConfig(base, 'config.yaml').endorsements, {
    revocation: 'when-available',
    revocationByVendor: {},
    maxAgeSeconds: 30 * 86_400,
    expired: 'refuse',
    fetch: { hosts: [], timeoutSeconds: 5, maxBytes: 65_536 },
  })
})

test('what is written counts', t => {
  t.like(endorsements('{ revocation: required, maxAgeSeconds: 60, expired: tolerate }'), {
    revocation: 'required',
    maxAgeSeconds: 60,
    expired: 'tolerate',
  })
  const byVendor = endorsements('{ revocationByVendor: { "id:494E5443": required } }')
  t.deepEqual(byVendor.revocationByVendor, { 'id:494E5443': 'required' })
  t.deepEqual(endorsements('{ fetch: { hosts: [ek.example] } }').fetch.hosts, ['ek.example'])
})

for (const text of [
  '{ revocation: maybe }',
  '{ revocationByVendor: { INTC: off } }',
  '{ revocationByVendor: { "id:494E5443": maybe } }',
  '{ maxAgeSeconds: 1 }',
  '{ fetch: { hosts: ["127.0.0.1"] } }',
  '{ fetch: { hosts: [localhost] } }',
  '{ fetch: { hosts: ["[::1]"] } }',
  '{ fetch: { hosts: ["EK.example"] } }',
  '{ fetch: { hosts: ["ek.example:8080"] } }',
  '{ fetch: { hosts: ["http://ek.example"] } }',
  '{ fetch: { maxBytes: 65537 } }',
  '{ fetch: { timeoutSeconds: 0 } }',
  '{ fetches: {} }',
]) {
  test(`refuses ${text}`, t => {
    const error = t.throws(() => endorsements(text), { instanceOf: ConfigError })
    t.is(error.code, 'config-malformed')
    t.regex(error.found ?? '', /config\.yaml:3: endorsements/)
  })
}
