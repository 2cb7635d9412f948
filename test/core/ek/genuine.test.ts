import test from 'ava'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { profileChecks } from '../../../src/core/ek/profile.ts'
import { parseCertificate, type Certificate } from '../../../src/core/x509/certificate.ts'
import { algorithmViolation } from '../../../src/core/x509/path-checks.ts'
import { absenceOf, hasVectors, vectorsFolder } from '../../support/vectors.ts'
import { check } from '../../vectors/x509-limbo.ts'
import { decisions } from '../../vectors/x509-limbo-decisions.ts'

const genuine = hasVectors() ? test : test.skip
if (!hasVectors())
  test('the vectors are not there', t => t.log(absenceOf(vectorsFolder)) ?? t.pass())

const read = (file: string): Certificate =>
  parseCertificate(readFileSync(join(vectorsFolder, file)))

/** The rules of the profile that a certificate breaks, with no quirk allowed. */
function brokenRules(certificate: Certificate, vendor: string, time: Date): string[] {
  const scope = { vendor, time: time.getTime(), isExpiryTolerated: false, tolerates: () => false }
  return profileChecks
    .filter(rule => rule.violation(certificate, scope) !== undefined)
    .map(({ code }) => code)
}

genuine('a certificate of a TPM 1.2 is refused for each reason there is', t => {
  const certificate = read('ek/stm02-nuc1.der')
  t.is(algorithmViolation(certificate), 'sha1WithRSAEncryption')
  t.deepEqual(brokenRules(certificate, 'id:53544D20', new Date('2026-01-01')), [
    'ek-certificate-validity',
    'ek-key',
    'ek-key-usage',
    'ek-specification',
  ])
})

genuine(
  'an attestation key of a virtual TPM is told from its endorsement key by the key usage alone',
  t => {
    const time = new Date('2026-01-01')
    const vendor = 'id:474F4F47'
    t.deepEqual(brokenRules(read('ek/gce-uca-rsa-enc.der'), vendor, time), [])
    t.deepEqual(brokenRules(read('ek/gce-uca-rsa-sign.der'), vendor, time), ['ek-key-usage'])
  },
)

genuine('a genuine certificate below the root of another vendor breaks one rule', t => {
  const time = new Date('2026-01-01')
  for (const file of ['ek/stm05.der', 'ek/nuvoton2111.der', 'ek/intel.der']) {
    t.deepEqual(brokenRules(read(file), 'id:49465800', time), ['ek-vendor'])
  }
})

genuine('every decision on x509-limbo is needed, and made for a case that there is', t => {
  const bytes = readFileSync(join(vectorsFolder, 'x509-limbo/limbo.json'))
  const suite = JSON.parse(bytes.toString('utf8')) as {
    testcases: { id: string; expected_result: string }[]
  }
  const entry = { file: '', kind: 'x509-limbo', verdict: 'suite', why: '', sha256: '' } as const
  const found = new Map(check(entry, bytes).map(({ name, found: verdict }) => [name, verdict]))
  for (const { cases, verdict } of decisions) {
    for (const beginning of cases) {
      const meant = suite.testcases.filter(({ id }) => id.startsWith(beginning))
      t.true(meant.length > 0, beginning)
      for (const { id, expected_result: stated } of meant) {
        t.is(found.get(id), verdict, id)
        t.not(stated === 'SUCCESS' ? 'accept' : 'refuse', verdict, id)
      }
    }
  }
})
