import { createHash } from 'node:crypto'
import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPM_ST_ATTEST, type Attested, type TpmsAttest } from '../../../src/core/tpm/attest.ts'
import { qualifiedNameOf } from '../../../src/core/tpm/public.ts'
import { attestationKeyTemplate } from '../../../src/core/tpm/templates.ts'
import { VerifiedSubjectKey, verifySubjectKey } from '../../../src/core/verifier/subject-key.ts'
import { createEmulatedKey, signAsTpm } from '../../../swtpm/emulated/key.ts'
import { octets } from '../tpm/structures.ts'
import { refusalOf } from './fixtures.ts'
import {
  attestationKey,
  refusalOfCertify,
  refusalOfKey,
  subjectEvidence,
  tpm,
} from './subject-fixtures.ts'

/** A change to what was certified. */
function certified(change: Partial<Extract<Attested, { name: Uint8Array }>>) {
  return (attest: TpmsAttest): TpmsAttest => ({
    ...attest,
    attested: { ...attest.attested, ...change } as Attested,
  })
}

test('a key born in the TPM is verified, with what the TPM said of it', t => {
  const key = tpm.createSubjectKey()
  const verified = verifySubjectKey(subjectEvidence({ subject: key }))
  t.deepEqual(verified.spki, key.publicKey.export({ format: 'der', type: 'spki' }))
  t.deepEqual(Buffer.from(verified.name), Buffer.from(key.name))
  t.is(verified.area.objectAttributes, 0x0004_0472)
  t.is(verified.hierarchy, 'owner')
  const { x, y } = key.publicKey.export({ format: 'jwk' })
  t.like(verified.jwk, { kty: 'EC', crv: 'P-256', x, y })
  const thumbprint = `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`
  t.is(verified.jkt, createHash('sha256').update(thumbprint).digest('base64url'))
  t.is(verified.facts.clockInfo.resetCount, tpm.clockInfo.resetCount)
  t.is(verified.facts.firmwareVersion, tpm.firmwareVersion)
  t.true(verified.checks.every(({ outcome }) => outcome === 'pass'))
})

test('its verdict has a line for each rule, in the order in which they were held', t => {
  const codes = verifySubjectKey(subjectEvidence()).checks.map(({ code }) => code)
  t.deepEqual(codes, [
    'subject-public-malformed',
    'subject-attributes',
    'subject-name-algorithm',
    'subject-policy',
    'subject-scheme',
    'subject-key-weak',
    'certify-malformed',
    'certify-signature',
    'certify-magic',
    'certify-type',
    'certify-signer',
    'certify-name',
    'certify-binding',
    'subject-parent-malformed',
    'subject-parent',
    'subject-parentage',
    'csr-unreadable',
    'csr-key-differs',
    'csr-unsigned',
  ])
})

test('nobody else makes one', t => {
  t.throws(() => new VerifiedSubjectKey(Symbol('subject key') as never, {} as never), {
    instanceOf: TypeError,
  })
})

test('F1 a certification that does not begin as the TPM begins is refused', t => {
  t.is(
    refusalOfCertify(attest => ({ ...attest, magic: 0xff54_4346 })),
    'certify-magic',
  )
  t.is(
    refusalOfCertify(attest => ({ ...attest, magic: 0 })),
    'certify-magic',
  )
})

test('F1 an attestation of another type is refused', t => {
  const bodies: Attested[] = [
    { type: 'other', tag: 0x8014, body: octets('nv', 40) },
    { type: 'other', tag: TPM_ST_ATTEST.time, body: octets('time', 33) },
    { type: TPM_ST_ATTEST.quote, pcrSelect: [], pcrDigest: octets('digest', 32) },
    {
      type: TPM_ST_ATTEST.creation,
      objectName: octets('name', 34),
      creationHash: octets('hash', 32),
    },
  ]
  for (const attested of bodies)
    t.is(
      refusalOfCertify(attest => ({ ...attest, attested })),
      'certify-type',
    )
})

test('F2 a certification of another challenge is refused, genuine as it is', t => {
  t.is(refusalOfKey({ nonce: new Uint8Array(32) }), 'certify-binding')
  t.is(refusalOfKey({}, { nonce: new Uint8Array(32) }), 'certify-binding')
})

test('F2 a certification for another purpose, service, agent or request is refused', t => {
  t.is(refusalOfKey({}, { purpose: 'host' }), 'certify-binding')
  t.is(refusalOfKey({}, { audience: 'https://other.example' }), 'certify-binding')
  t.is(refusalOfKey({}, { contextId: 'agent-2' }), 'certify-binding')
  t.is(refusalOfKey({}, { csr: subjectEvidence().csr }), 'certify-binding')
})

test('F2 extraData that is empty, cut off or longer is refused', t => {
  const change = (edit: (extraData: Uint8Array) => Uint8Array): string =>
    refusalOfCertify(attest => ({ ...attest, extraData: edit(attest.extraData) }))
  t.is(
    change(() => new Uint8Array()),
    'certify-binding',
  )
  t.is(
    change(data => data.subarray(0, 31)),
    'certify-binding',
  )
  t.is(
    change(data => Buffer.concat([data, Uint8Array.of(0)])),
    'certify-binding',
  )
  t.is(
    change(() => new Uint8Array(65)),
    'certify-malformed',
  )
})

test('F3 a certification of another key is refused, be it by the algorithm of the Name alone', t => {
  const other = tpm.createSubjectKey()
  const { name } = tpm.createSubjectKey()
  t.is(refusalOfCertify(certified({ name: other.name })), 'certify-name')
  t.is(refusalOfCertify(certified({ name: name.subarray(2) })), 'certify-name')
  t.is(refusalOfCertify(certified({ name: new Uint8Array() })), 'certify-name')
  const renamed = refusalOfCertify(attest => {
    if (attest.attested.type !== TPM_ST_ATTEST.certify) throw new TypeError('a certification')
    const changed = Uint8Array.from(attest.attested.name)
    changed[1] = TPM_ALG.SHA384
    return certified({ name: changed })(attest)
  })
  t.is(renamed, 'certify-name')
})

test('F5 a request for another key is refused, whoever signed it', t => {
  const [other, subject] = [tpm.createSubjectKey(), tpm.createSubjectKey()]
  t.is(refusalOfKey({ subject, requestKey: other }), 'csr-key-differs')
  t.is(refusalOfKey({ subject, requestKey: other, requestSigner: subject }), 'csr-key-differs')
})

test('F5 a request that the certified key did not sign is refused', t => {
  t.is(refusalOfKey({ requestSigner: tpm.createSubjectKey() }), 'csr-unsigned')
})

test('F5 P1 a request that cannot be read is refused, bound to the certification as it may be', t => {
  const changes: ((csr: Uint8Array) => Uint8Array)[] = [
    () => new Uint8Array(),
    csr => csr.subarray(1),
    csr => csr.subarray(0, -1),
    csr => Buffer.concat([csr, Uint8Array.of(0)]),
  ]
  for (const request of changes) t.is(refusalOfKey({ request }), 'csr-unreadable')
})

test('F6 a key elsewhere than the host says is refused', t => {
  t.is(refusalOfKey({ hierarchy: 'endorsement' }), 'subject-parentage')
  const other = createEmulatedKey(tpm.storageRoot.area, 'owner')
  const { hierarchy } = subjectEvidence().parent
  t.is(refusalOfKey({}, { parent: { public: other.public, hierarchy } }), 'subject-parentage')
  t.is(refusalOfCertify(certified({ qualifiedName: octets('qualified', 34) })), 'subject-parentage')
})

test('F6 a key below a storage key of the endorsement hierarchy is accepted where the host says so', t => {
  const root = createEmulatedKey(tpm.storageRoot.area, 'endorsement')
  const subject = tpm.createSubjectKey(undefined, root)
  const parent = { public: root.public, hierarchy: 'endorsement' } as const
  const verified = verifySubjectKey({ ...subjectEvidence({ subject }), parent })
  t.is(verified.hierarchy, 'endorsement')
})

test('F6 a key in the null or platform hierarchy, or a primary key, is refused', t => {
  for (const above of ['null', 'platform'] as const) {
    const root = createEmulatedKey(tpm.storageRoot.area, above)
    const below = tpm.createSubjectKey(undefined, root)
    for (const hierarchy of ['owner', 'endorsement'] as const) {
      const parent = { public: root.public, hierarchy }
      t.is(refusalOfKey({ subject: below }, { parent }), 'subject-parentage')
    }
    const primary = tpm.createSubjectKey(undefined, above)
    t.is(refusalOfKey({ subject: primary }), 'subject-parentage')
  }
  t.is(refusalOfKey({ subject: tpm.createSubjectKey(undefined, 'owner') }), 'subject-parentage')
})

test('F6 a key two levels below its hierarchy is refused: where it stands was not shown', t => {
  const middle = createEmulatedKey(tpm.storageRoot.area, tpm.storageRoot)
  const subject = tpm.createSubjectKey(undefined, middle)
  const parent = { public: middle.public, hierarchy: 'owner' } as const
  t.is(refusalOfKey({ subject }, { parent }), 'subject-parentage')
})

test('F7 a signature that another key made, or that was changed, is refused', t => {
  const signer = createEmulatedKey(attestationKeyTemplate(new Uint8Array(32)), 'endorsement')
  t.is(refusalOfKey({ certify: { signer } }), 'certify-signature')
  const flip = (signature: Uint8Array): Uint8Array => {
    const changed = Uint8Array.from(signature)
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    return changed
  }
  t.is(refusalOfKey({ certify: { signature: flip } }), 'certify-signature')
})

test('F7 a raw signature, as WebAuthn carries it, is malformed here: formats are not guessed', t => {
  const raw = (signature: Uint8Array): Uint8Array => signature.subarray(6)
  t.is(refusalOfKey({ certify: { signature: raw } }), 'certify-malformed')
})

test('F9 a certification by an attestation key of another activation is refused', t => {
  const other = createEmulatedKey(attestationKeyTemplate(octets('salt', 32)), 'endorsement')
  t.is(refusalOfKey({ certify: { signer: other } }), 'certify-signature')
})

test('Q7 a signer outside the endorsement hierarchy is refused', t => {
  for (const hierarchy of ['owner', 'null', 'platform'] as const) {
    const qualifiedSigner = qualifiedNameOf(hierarchy, attestationKey.name)
    t.is(
      refusalOfCertify(attest => ({ ...attest, qualifiedSigner })),
      'certify-signer',
    )
  }
  const qualifiedSigner = new Uint8Array()
  t.is(
    refusalOfCertify(attest => ({ ...attest, qualifiedSigner })),
    'certify-signer',
  )
})

test('P1 P2 an attestation or a signature with a byte more or less is malformed', t => {
  const longer = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, Uint8Array.of(0)])
  const shorter = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, -1)
  for (const change of [longer, shorter]) {
    // Signed as changed, and changed after it was signed.
    t.is(refusalOfKey({ certify: { bytes: change } }), 'certify-malformed')
    const evidence = subjectEvidence()
    t.is(refusalOfKey({}, { attest: change(evidence.attest) }), 'certify-malformed')
    t.is(refusalOfKey({ certify: { signature: change } }), 'certify-malformed')
  }
})

test('the signature is verified over the very bytes: what a parser would read alike is refused', t => {
  const { attest } = subjectEvidence()
  const signature = signAsTpm(tpm.attestationKey, Buffer.concat([attest, Uint8Array.of(0)]))
  t.is(
    refusalOf(() => verifySubjectKey({ ...subjectEvidence(), attest, signature })),
    'certify-signature',
  )
})
