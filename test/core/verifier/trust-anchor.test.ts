import test from 'ava'
import { generateKeyPairSync } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import {
  isTpmAnchor,
  parseManufacturerAuthority,
  parseTrustAnchor,
  type AnchorLabels,
} from '../../../src/core/verifier/trust-anchor.ts'
import { createAuthority, oids, type CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import {
  intermediate,
  leafBytes,
  leafParts,
  now,
  root,
  signAs,
  withExtension,
  year,
} from '../x509/fixtures.ts'

const labels: AnchorLabels = { name: 'Maker', vendor: 'id:00001014', assurance: 'emulated' }

function admit(certificate: Uint8Array, changed: Partial<AnchorLabels> = {}, at = now): unknown {
  return parseTrustAnchor(certificate, { ...labels, ...changed }, new Date(at))
}

/** A root that was changed before it signed itself. */
function changedRoot(edit: CertificateEdit): Uint8Array {
  return createAuthority('Changed root', now, undefined, edit).certificate
}

test('admits a root under the operator’s labels, by its digest', t => {
  const anchor = admit(root.certificate) as ReturnType<typeof parseTrustAnchor>
  t.like(anchor, labels)
  t.regex(anchor.fingerprint, /^[0-9a-f]{64}$/)
  t.deepEqual(Buffer.from(anchor.certificate), Buffer.from(root.certificate))
  t.deepEqual(Object.keys(anchor).toSorted(), [
    'assurance',
    'certificate',
    'fingerprint',
    'name',
    'vendor',
  ])
})

test('refuses what is not exactly one certificate', t => {
  const code = 'anchor-malformed'
  t.throws(() => admit(new Uint8Array()), { code })
  t.throws(() => admit(Buffer.concat([root.certificate, Uint8Array.of(0)])), { code })
  t.throws(() => admit(Buffer.from('-----BEGIN CERTIFICATE-----')), { code })
})

const unlabelled: readonly Partial<AnchorLabels>[] = [
  { name: ' ' },
  { vendor: '' },
  { vendor: 'id:4946580' },
  { vendor: 'IBM' },
  { assurance: 'hsm-attested' },
  { assurance: 'hsm-attested', vendor: 'thales' },
  { assurance: 'hsm-inspected', vendor: 'yubihsm2' },
  { vendor: 'yubihsm2' },
  { assurance: 'tpm-declared' },
]

for (const changed of unlabelled) {
  test(`refuses the labels ${JSON.stringify(changed)}`, t => {
    t.throws(() => admit(root.certificate, changed), { code: 'anchor-label' })
  })
}

test('refuses an intermediate, and a root that another key signed', t => {
  const code = 'anchor-not-self-signed'
  t.throws(() => admit(intermediate.certificate), { code })
  const impostor = createAuthority('Test root', now, { ...intermediate, name: root.name })
  t.throws(() => admit(impostor.certificate), { code })
})

test('refuses an end entity', t => {
  t.throws(() => admit(leafBytes()), { code: 'anchor-not-authority' })
  const basic = withExtension(oids.basicConstraints, { value: der.sequence() })
  t.throws(() => admit(changedRoot(basic)), { code: 'anchor-not-authority' })
  const absent = withExtension(oids.basicConstraints, undefined)
  t.throws(() => admit(changedRoot(absent)), { code: 'anchor-not-authority' })
})

test('refuses a root that may not sign certificates', t => {
  const edit = withExtension(oids.keyUsage, { value: der.namedBits(0x02) })
  t.throws(() => admit(changedRoot(edit)), { code: 'anchor-key-usage' })
})

test('refuses a root with a critical extension that is not known', t => {
  const edit = withExtension('1.2.3.4', { critical: true, value: der.sequence() })
  t.throws(() => admit(changedRoot(edit)), { code: 'anchor-extension' })
})

test('refuses a root before and after its time', t => {
  t.throws(() => admit(root.certificate, {}, now + 10 * year), { code: 'anchor-validity' })
  t.throws(() => admit(root.certificate, {}, now - 2 * year), { code: 'anchor-validity' })
})

function rsaRoot(modulusLength: number, algorithm: Parameters<typeof signAs>[0]): Uint8Array {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
  const parts = leafParts(root)
  const authority = withExtension(oids.basicConstraints, { value: der.sequence(der.booleanTrue) })
  const signing = withExtension(oids.keyUsage, { value: der.namedBits(0x06) })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return signAs(
    algorithm,
    { ...signing(authority(parts)), subject: parts.issuer, spki },
    privateKey,
  )
}

test('admits a root that signed itself with SHA-1, for that proves nothing; refuses a weak key', t => {
  t.notThrows(() => admit(rsaRoot(2048, 'sha1WithRSAEncryption')))
  t.throws(() => admit(rsaRoot(1024, 'sha256WithRSAEncryption')), { code: 'anchor-key' })
})

test('reads roots and intermediates of a collection, and tells them apart', t => {
  const read = (certificate: Uint8Array): unknown =>
    parseManufacturerAuthority(certificate, labels, new Date(now))
  t.like(read(root.certificate), { kind: 'root' })
  t.like(read(intermediate.certificate), { kind: 'intermediate' })
  const impostor = createAuthority('Test root', now, { ...intermediate, name: root.name })
  t.like(read(impostor.certificate), { kind: 'intermediate' })
  t.throws(() => read(leafBytes()), { code: 'anchor-not-authority' })
})

test('an authority of one product of an HSM vendor is where paths end, whoever signed it', t => {
  const hsm = { vendor: 'yubihsm2', assurance: 'hsm-attested' } as const
  t.throws(() => admit(intermediate.certificate), { code: 'anchor-not-self-signed' })
  const anchor = admit(intermediate.certificate, hsm) as ReturnType<typeof parseTrustAnchor>
  t.like(anchor, hsm)
  t.false(isTpmAnchor(anchor))
  t.true(isTpmAnchor(admit(root.certificate) as ReturnType<typeof parseTrustAnchor>))
})
