import test from 'ava'
import { compareVersions } from '../../../src/core/formats/attested/firmware.ts'
import { attestationVendors } from '../../../src/core/formats/attested/vendor-table.ts'
import { yubihsm2 } from '../../../src/core/formats/attested/vendors/yubihsm2.ts'
import * as der from '../../../src/core/der/writer.ts'
import { CheckRecorder } from '../../../src/core/verifier/check.ts'
import { parseTrustAnchor } from '../../../src/core/verifier/trust-anchor.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import { oids, type CertificateParts } from '../../../swtpm/emulated/certificate.ts'
import {
  yubiHsmExtensions,
  yubiKeyExtensions,
  type YubiHsmAttestation,
  type YubiKeyAttestation,
} from '../../../swtpm/emulated/hsm-vendor.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { publishList } from '../../support/test-lists.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import {
  expectations,
  key,
  now,
  signAs,
  verified,
  yubiHsm,
  yubiHsmEvidence,
  yubiHsmVendor,
  yubiKey,
  yubiKeyEvidence,
  yubiKeyVendor,
} from './hsm-fixtures.ts'

const format = 'hsm-attested'

function refusal(...args: Parameters<typeof yubiHsmEvidence>): string {
  return refusalOf(() => verified(format, yubiHsmEvidence(...args)))
}

test('a key that a YubiHSM 2 attests is verified, with what a policy may ask for', t => {
  const proven = verified(format, yubiHsmEvidence())
  t.is(proven.jkt, key.jkt)
  t.deepEqual(proven.jwk, key.jwk)
  t.deepEqual(Buffer.from(proven.spki), key.publicKey.export({ format: 'der', type: 'spki' }))
  t.is(proven.assurance, 'hsm-attested')
  t.is(proven.endorsementKind, 'certificate')
  t.deepEqual(proven.facts, {
    token: { manufacturer: 'Yubico (www.yubico.com)', model: 'YubiHSM', serial: '7550054' },
    vendor: 'yubihsm2',
    firmware: '2.4.0',
    properties: { domains: '1', 'object-id': '258' },
  })
  t.true(proven.checks.every(({ outcome }) => outcome === 'pass'))
  t.true(proven.checks.every(({ code, bytesSha256 }) => !code.startsWith('hsm-') || !bytesSha256))
})

const yubiHsmRefusals: readonly (readonly [string, Partial<YubiHsmAttestation>, string])[] = [
  ['was imported', { origin: 0x02 }, 'hsm-not-local'],
  ['has no origin at all', { origin: 0x00 }, 'hsm-not-local'],
  ['was generated elsewhere and wrapped in', { origin: 0x11 }, 'hsm-wrapped'],
  ['was imported and wrapped in', { origin: 0x12 }, 'hsm-wrapped'],
  ['is exportable under wrap', { capabilities: 0x1_0080n }, 'hsm-extractable'],
  ['may derive', { capabilities: 0x880n }, 'hsm-capabilities'],
  ['may attest others', { capabilities: 0x4_0000_0080n }, 'hsm-capabilities'],
  ['may not sign', { capabilities: 0n }, 'hsm-capabilities'],
  ['is on firmware before 2.4.0', { firmware: [2, 3, 9] }, 'hsm-firmware'],
  ['has a version of two numbers', { firmware: [2, 4] }, 'hsm-extension'],
]

for (const [what, said, code] of yubiHsmRefusals)
  test(`a key of a YubiHSM 2 that ${what} is refused`, t => {
    t.is(refusal({ extensions: yubiHsmExtensions(said) }), code)
  })

test('a key of a YubiHSM 2 on newer firmware and in several domains is taken', t => {
  const extensions = yubiHsmExtensions({ firmware: [2, 10, 0], domains: 0x8003 })
  const { facts } = verified(format, yubiHsmEvidence({ extensions }))
  t.is(facts.firmware, '2.10.0')
  t.is(facts.properties.domains, '1 2 16')
})

test('an extension that is missing, of another length or kind, or not alone is refused', t => {
  const good = yubiHsmExtensions()
  for (const { oid } of good.slice(0, 6))
    t.is(refusal({ extensions: good.filter(one => one.oid !== oid) }), 'hsm-extension', oid)
  const withValue = (arc: number, value: Uint8Array): string => {
    const changed = good.map(one => (one.oid.endsWith(`.${arc}`) ? { ...one, value } : one))
    return refusal({ extensions: changed })
  }
  t.is(withValue(3, der.bitString(Uint8Array.of(1, 1))), 'hsm-extension')
  t.is(withValue(3, der.octetString(Uint8Array.of(1))), 'hsm-extension')
  t.is(withValue(4, der.bitString(Uint8Array.of(1))), 'hsm-extension')
  t.is(withValue(5, der.bitString(Uint8Array.of(0x80))), 'hsm-extension')
  t.is(withValue(2, Uint8Array.of(2, 1, 0xff)), 'hsm-extension')
  t.is(withValue(2, Uint8Array.of(2, 1, 5, 0)), 'hsm-extension')
  const critical = good.map(one => ({ ...one, critical: one.oid.endsWith('.9') }))
  t.is(refusal({ extensions: critical }), 'hsm-extension')
})

test('a key that a YubiKey attests is verified, with PIN and touch policy, form factor and slot', t => {
  const { facts } = verified(format, yubiKeyEvidence())
  t.is(facts.vendor, 'yubikey-piv')
  t.is(facts.firmware, '5.7.1')
  t.deepEqual(facts.properties, {
    'pin-policy': 'once',
    'touch-policy': 'never',
    'form-factor': 'usb-c-keychain',
    slot: '9c',
  })
  const fips = yubiKeyExtensions({ formFactor: [0x84] })
  t.is(
    verified(format, yubiKeyEvidence({ extensions: fips })).facts.properties['form-factor'],
    'usb-c-nano-fips',
  )
})

const yubiKeyRefusals: readonly (readonly [string, Partial<YubiKeyAttestation>, string])[] = [
  ['of the range of ROCA, by its name', { firmware: [4, 3, 4] }, 'hsm-firmware-roca'],
  ['at the first version of ROCA', { firmware: [4, 2, 6] }, 'hsm-firmware-roca'],
  ['after ROCA and before 5.7.0', { firmware: [4, 3, 5] }, 'hsm-firmware'],
  ['just before 5.7.0', { firmware: [5, 6, 9] }, 'hsm-firmware'],
  ['with a PIN policy that is not known', { policies: [4, 1] }, 'hsm-extension'],
  ['with a touch policy that is not known', { policies: [1, 0] }, 'hsm-extension'],
  ['with one policy alone', { policies: [1] }, 'hsm-extension'],
  ['without policies', { policies: [] }, 'hsm-extension'],
  ['with three policies', { policies: [1, 1, 1] }, 'hsm-extension'],
  ['of an unknown form', { formFactor: [0x20] }, 'hsm-extension'],
  ['of no form', { formFactor: [] }, 'hsm-extension'],
  ['of two forms', { formFactor: [1, 1] }, 'hsm-extension'],
]

for (const [what, said, code] of yubiKeyRefusals)
  test(`a YubiKey ${what} is refused`, t => {
    const evidence = yubiKeyEvidence({ extensions: yubiKeyExtensions(said) })
    t.is(
      refusalOf(() => verified(format, evidence)),
      code,
    )
  })

test('a key in no slot for signing is refused, those of the card are taken', t => {
  const inSlot = (subject: string): string =>
    refusalOf(() => verified(format, yubiKeyEvidence({ subject })))
  for (const slot of ['9a', '9c', '9e', '82', '95'])
    t.is(inSlot(`YubiKey PIV Attestation ${slot}`), 'accepted', slot)
  for (const slot of ['9d', 'f9', '81', '96', '9a9a'])
    t.is(inSlot(`YubiKey PIV Attestation ${slot}`), 'hsm-slot', slot)
  t.is(inSlot('Yubico PIV Attestation'), 'hsm-slot')
})

test('an attestation of one product is not taken for another, whichever name is claimed', t => {
  t.is(refusal({}, { vendor: 'yubikey-piv' }), 'path-issuer')
  t.is(
    refusalOf(() => verified(format, yubiKeyEvidence({}, { vendor: 'yubihsm2' }))),
    'path-issuer',
  )
  t.is(refusal({}, { vendor: 'thales' }), 'hsm-vendor')
  t.is(refusal({}, { vendor: '' }), 'hsm-vendor')
  // Extensions of the other product below the right authority lead nowhere either.
  t.is(refusal({ extensions: yubiKeyExtensions() }), 'hsm-extension')
})

test('a shared root of the vendor opens no product: the device must stand right below what was admitted', t => {
  const labels = { name: 'root', vendor: 'yubihsm2', assurance: 'hsm-attested' } as const
  const root = parseTrustAnchor(yubiHsmVendor.root.certificate, labels, new Date(now))
  const evidence = yubiHsmEvidence()
  const against = (anchors: (typeof root)[]): string =>
    refusalOf(() => verified(format, evidence, { anchors }))
  t.is(against([root]), 'path-issuer')
  t.is(against([]), 'path-issuer')
  t.is(against([{ ...root, assurance: 'tpm-discrete' }]), 'path-issuer')
  t.is(against([...expectations.anchors, root]), 'accepted')
})

test('anchors of the message are ignored, and the message has the device’s certificate alone', t => {
  const chain = [yubiHsm.certificate, yubiHsmVendor.product.certificate]
  t.is(refusal({}, { chain }), 'hsm-chain')
  t.is(refusal({}, { chain: [] }), 'hsm-chain')
  const forger = yubiHsmVendor.createDevice()
  t.is(refusal({}, { chain: [forger.certificate] }), 'hsm-certificate-signature')
  const foreign = yubiKeyVendor.createDevice()
  t.is(refusal({ device: foreign }), 'path-issuer')
})

test('what is no certificate, or two in one, is refused', t => {
  const junk = Uint8Array.of(0x30, 0)
  t.is(refusal({}, { chain: [junk] }), 'hsm-certificate-malformed')
  const statement = Buffer.concat([yubiHsmEvidence().statement, Uint8Array.of(0)])
  t.is(refusal({}, { statement }), 'hsm-certificate-malformed')
})

function withExtension(parts: CertificateParts, oid: string, value: Uint8Array): CertificateParts {
  const extensions = parts.extensions.filter(one => one.oid !== oid)
  return { ...parts, extensions: [...extensions, { oid, critical: true, value }] }
}

test('a device that may not attest is refused, one that says so by key usage is taken', t => {
  const usage = (bits: number): string => {
    const edit = (parts: CertificateParts): CertificateParts =>
      withExtension(parts, oids.keyUsage, der.namedBits(bits))
    return refusal({ device: yubiHsmVendor.createDevice(edit) })
  }
  t.is(usage(0x04), 'accepted')
  t.is(usage(0x80), 'hsm-device')
  const plain = yubiHsmVendor.createDevice(parts =>
    withExtension(parts, oids.basicConstraints, der.sequence()),
  )
  t.is(refusal({ device: plain }), 'hsm-device')
  const none = yubiHsmVendor.createDevice(parts => ({
    ...parts,
    extensions: parts.extensions.filter(({ oid }) => oid !== oids.basicConstraints),
  }))
  t.is(refusal({ device: none }), 'hsm-device')
})

test('an attestation for another key, for an authority, of other names or times is refused', t => {
  t.is(refusal({ attested: createTestKey() }), 'csr-key-differs')
  t.is(refusal({ attested: createTestKey('P-384') }), 'csr-key-differs')
  const authority = (parts: CertificateParts): CertificateParts =>
    withExtension(parts, oids.basicConstraints, der.sequence(der.booleanTrue))
  t.is(refusal({ edit: authority }), 'hsm-certificate-signature')
  const renamed = (parts: CertificateParts): CertificateParts => ({
    ...parts,
    issuer: yubiKey.authority.name,
  })
  t.is(refusal({ edit: renamed }), 'hsm-certificate-signature')
  const unknown = Buffer.from(yubiHsmEvidence().statement)
  const algorithm = Buffer.from('2a8648ce3d040302', 'hex')
  for (let at = unknown.indexOf(algorithm); at >= 0; at = unknown.indexOf(algorithm))
    unknown[at + 7] = 9
  t.is(refusal({}, { statement: unknown }), 'hsm-certificate-signature')
  const early = (parts: CertificateParts): CertificateParts => ({ ...parts, notBefore: now + 1000 })
  t.is(refusal({ edit: early }), 'hsm-certificate-validity')
})

test('a device that its vendor revoked is refused; without a word it is where one is asked for', t => {
  const list = (revoked: readonly Uint8Array[]) => {
    const crl = publishList(yubiHsmVendor.product, { now, revoked })
    return { lists: [parseCertificateList(crl)], responses: [] }
  }
  const against = (
    revocation: ReturnType<typeof list>,
    mode: 'record' | 'require' | 'off' = 'record',
  ): string => {
    const endorsementPolicy = { revocationByVendor: { yubihsm2: mode } }
    return refusalOf(() => verified(format, yubiHsmEvidence(), { revocation, endorsementPolicy }))
  }
  t.is(against(list([yubiHsm.certificate])), 'ek-revocation')
  t.is(against(list([]), 'require'), 'accepted')
  t.is(against({ lists: [], responses: [] }, 'require'), 'ek-revocation-unavailable')
  t.is(against({ lists: [], responses: [] }), 'accepted')
})

test('another token than the one that was asked for, or the host’s, is refused', t => {
  const { token } = yubiHsmEvidence()
  t.is(refusal({}, { token: { ...token, serial: '7550055' } }), 'hsm-token-differs')
  t.is(refusal({}, { token: { ...token, manufacturer: 'Other' } }), 'hsm-token-differs')
  t.is(refusal({}, { token: { ...token, model: 'spelt otherwise' } }), 'accepted')
  const evidence = yubiHsmEvidence()
  const { tokenSha256 } = verified(format, evidence)
  const of = (wanted: string): string =>
    refusalOf(() => verified(format, evidence, { isToken: sha256 => sha256 === wanted }))
  t.is(of(tokenSha256), 'accepted')
  t.is(of('00'.repeat(32)), 'hsm-token-differs')
})

test('an attestation is worth nothing without the key’s own proof for this challenge', t => {
  const evidence = yubiHsmEvidence()
  const other = createTestKey()
  t.is(refusal({}, { proof: signAs(other, evidence.csr) }), 'hsm-proof')
  t.is(refusal({}, { proof: new Uint8Array() }), 'hsm-proof')
  const later = { ...expectations.context, nonce: Buffer.alloc(32, 8) }
  t.is(
    refusalOf(() => verified(format, evidence, { context: later })),
    'hsm-proof',
  )
})

test('versions are compared by number', t => {
  t.true(compareVersions('5.10.0', '5.7.0') > 0)
  t.is(compareVersions('5.7', '5.7.0'), 0)
  t.true(compareVersions('5.7', '5.7.0.1') < 0)
  t.is(compareVersions('5.7.0', '5.7.0'), 0)
  t.true(compareVersions('5.7.0.1', '5.7.0') > 0)
})

test('each vendor has a name of its own', t => {
  const names = attestationVendors.map(({ id }) => id)
  t.is(new Set(names).size, names.length)
})

test('the module of a vendor says what it refuses with the certificate’s own words', t => {
  const statement = parseCertificate(
    yubiHsmEvidence({ extensions: yubiHsmExtensions({ origin: 2 }) }).statement,
  )
  const error = t.throws(() => yubihsm2.verify(new CheckRecorder(), statement, statement), {
    code: 'hsm-not-local',
  })
  t.like(error, { expected: 'origin 0x01', found: 'origin 0x02' })
})
