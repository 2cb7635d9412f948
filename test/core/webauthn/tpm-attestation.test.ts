import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPM_ST_ATTEST, type Attested, type TpmsAttest } from '../../../src/core/tpm/attest.ts'
import { TPMA_OBJECT, type ObjectAttribute } from '../../../src/core/tpm/attributes.ts'
import type { EccPublic, TpmtPublic } from '../../../src/core/tpm/public.ts'
import { VerifiedTpmStatement } from '../../../src/core/webauthn/tpm-attestation.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import { octets, rsaArea } from '../tpm/structures.ts'
import {
  aaguid,
  anchor,
  attestationKeys,
  clientDataHash,
  keyAuthorization,
  refusal,
  tpm,
  verify,
} from './fixtures.ts'

const acme = { binding: { kind: 'key-authorization', keyAuthorization } } as const

test('a statement for a credential is verified, with what it says of key, TPM and credential', t => {
  const subject = tpm.createSubjectKey()
  const verified = verify({ subject })
  t.deepEqual(verified.spki, subject.publicKey.export({ format: 'der', type: 'spki' }))
  t.is(verified.area.objectAttributes, subject.area.objectAttributes)
  t.is(verified.anchor.fingerprint, anchor.fingerprint)
  t.regex(verified.certificateFingerprint, /^[0-9a-f]{64}$/)
  t.like(verified.identity, { vendor: 'id:00001014', model: 'emulated' })
  t.deepEqual(Buffer.from(verified.credential?.aaguid ?? []), aaguid)
  t.like(verified.credential, { flags: 0x45, signCount: 5 })
  t.is(verified.facts.firmwareVersion, tpm.firmwareVersion)
  t.is(verified.revocation.length, 2)
  t.true(verified.checks.every(({ outcome }) => outcome === 'pass'))
})

test('a statement for an ACME challenge is verified, with or without authenticator data', t => {
  const without = (members: object): object => ({ ...members, authData: undefined })
  const bare = verify({ keyAuthorization, object: members => omit(without(members)) }, acme)
  t.is(bare.credential, undefined)
  t.is(verify({ keyAuthorization }, acme).credential, undefined)
})

function omit(members: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

for (const [name, signer] of Object.entries(attestationKeys)) {
  test(`a statement signed with ${name} is verified in the form that was agreed on, and in no other`, t => {
    for (const form of ['tpmt', 'bare'] as const) {
      t.is(refusal({ signer, form }, { signatureForm: form }), 'accepted')
      const other = form === 'tpmt' ? 'bare' : 'tpmt'
      const code = refusal({ signer, form }, { signatureForm: other })
      t.true(['statement-attest-malformed', 'statement-signature'].includes(code), code)
    }
  })
}

test('nobody else makes a verified statement', t => {
  t.throws(() => new VerifiedTpmStatement(Symbol('tpm statement') as never, {} as never), {
    instanceOf: TypeError,
  })
})

test('a statement of another format, another version or without certificate is refused', t => {
  const changes = [{ ver: '1.2' }, { ver: 2 }, { ver: '' }]
  for (const change of changes)
    t.is(refusal({ attStmt: members => ({ ...members, ...change }) }), 'statement-format')
  for (const fmt of ['packed', 'none', 'TPM', 5])
    t.is(refusal({ object: members => ({ ...members, fmt }) }), 'statement-format')
  const ecdaa = ({ x5c: _x5c, ...members }: Record<string, unknown>): object => ({
    ...members,
    ecdaaKeyId: new Uint8Array(32),
  })
  t.is(refusal({ attStmt: members => ecdaa(members) as never }), 'statement-format')
})

test('members that are missing, of another type or not known are malformed', t => {
  for (const name of ['alg', 'sig', 'certInfo', 'pubArea'])
    for (const value of [undefined, null, 'text', [], 5.5])
      t.is(
        refusal({ attStmt: members => omit({ ...members, [name]: value }) }),
        name === 'alg' && value === 5.5 ? 'statement-algorithm' : 'statement-malformed',
      )
  for (const x5c of [
    [],
    'text',
    [5],
    [new Uint8Array(1), 'text'],
    Array.from({ length: 17 }, () => new Uint8Array(1)),
  ])
    t.is(refusal({ attStmt: members => ({ ...members, x5c }) }), 'statement-malformed')
  t.is(refusal({ attStmt: members => ({ ...members, more: 1 }) }), 'statement-malformed')
  t.is(refusal({ object: members => ({ ...members, more: 1 }) }), 'statement-malformed')
  t.is(refusal({ object: members => ({ ...members, attStmt: [] }) }), 'statement-malformed')
  t.is(refusal({ object: members => ({ ...members, authData: 'text' }) }), 'statement-malformed')
})

test('A1 A2 an algorithm that is weak, unknown or not of the attestation key is refused', t => {
  for (const alg of [-65_535, -8, -47, 0, -257, -37, 5])
    t.is(refusal({ attStmt: members => ({ ...members, alg }) }), 'statement-algorithm')
  const signer = attestationKeys.rsassa
  t.is(refusal({ signer, attStmt: members => ({ ...members, alg: -7 }) }), 'statement-algorithm')
  // RSA with another padding or hash than the signature has.
  for (const alg of [-37, -258, -259])
    t.is(refusal({ signer, attStmt: members => ({ ...members, alg }) }), 'statement-signature')
})

test('a statement signed by another key than that of the certificate is refused', t => {
  const other = createEmulatedKey(attestationKeys.ecdsa.area, 'endorsement')
  t.is(refusal({ certify: { signer: other } }), 'statement-signature')
  const flip = (signature: Uint8Array): Uint8Array => {
    const changed = Buffer.from(signature)
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1)
    return changed
  }
  t.is(refusal({ certify: { signature: flip } }), 'statement-signature')
})

test('F1 a statement that the TPM did not begin, or of another type, is refused', t => {
  const change = (edit: (attest: TpmsAttest) => Partial<TpmsAttest>): string =>
    refusal({ certify: { attest: attest => ({ ...attest, ...edit(attest) }) } })
  t.is(
    change(() => ({ magic: 0 })),
    'statement-magic',
  )
  const quote: Attested = { type: TPM_ST_ATTEST.quote, pcrSelect: [], pcrDigest: octets('d', 32) }
  t.is(
    change(() => ({ attested: quote })),
    'statement-type',
  )
  const nv: Attested = { type: 'other', tag: 0x8014, body: octets('nv', 40) }
  t.is(
    change(() => ({ attested: nv })),
    'statement-type',
  )
})

test('F2 a statement for other client data, other authenticator data or another challenge is refused', t => {
  const other = new Uint8Array(32)
  t.is(refusal({}, { binding: { kind: 'credential', clientDataHash: other } }), 'statement-binding')
  t.is(refusal({}, acme), 'statement-binding')
  t.is(refusal({ keyAuthorization }), 'statement-binding')
  const another = { kind: 'key-authorization', keyAuthorization: 'token.another' } as const
  t.is(refusal({ keyAuthorization }, { binding: another }), 'statement-binding')
  const relabelled = (members: Readonly<Record<string, unknown>>): object => {
    const changed = Buffer.from(members['authData'] as Uint8Array)
    changed.writeUInt8(changed.readUInt8(0) ^ 1, 0)
    return { ...members, authData: changed }
  }
  t.is(refusal({ object: members => relabelled(members) as never }), 'statement-binding')
  const extraData = clientDataHash
  t.is(refusal({ certify: { attest: attest => ({ ...attest, extraData }) } }), 'statement-binding')
})

test('F3 a statement about another key is refused', t => {
  const { public: pubArea } = tpm.createSubjectKey()
  t.is(refusal({ attStmt: members => ({ ...members, pubArea }) }), 'statement-name')
})

test('F5 a credential that is another key than the certified one is refused', t => {
  const set = (label: number, value: unknown) => ({
    coseKey: (key: ReadonlyMap<number, unknown>) => new Map([...key, [label, value]]),
  })
  t.is(refusal(set(-2, octets('x', 32))), 'statement-key-differs')
  t.is(refusal(set(-3, octets('y', 32))), 'statement-key-differs')
  t.is(refusal(set(-1, 2)), 'statement-key-differs')
})

test('a credential on each curve and of RSA is verified', t => {
  const area = tpm.createSubjectKey().area as EccPublic
  for (const curveId of [3, 4, 5]) {
    const subject = createEmulatedKey({ ...area, curveId }, tpm.storageRoot)
    t.is(refusal({ subject }), 'accepted')
  }
  const { objectAttributes } = area
  const rsa = { ...rsaArea, objectAttributes, authPolicy: new Uint8Array(), scheme: undefined }
  const subject = createEmulatedKey(rsa, tpm.storageRoot)
  t.is(refusal({ subject }), 'accepted')
  const exponent = (key: ReadonlyMap<number, unknown>): ReadonlyMap<number, unknown> =>
    new Map([...key, [-2, Uint8Array.of(3)]])
  t.is(refusal({ subject, coseKey: exponent }), 'statement-key-differs')
  const modulus = (key: ReadonlyMap<number, unknown>): ReadonlyMap<number, unknown> =>
    new Map([...key, [-1, octets('modulus', 256)]])
  t.is(refusal({ subject, coseKey: modulus }), 'statement-key-differs')
})

test('a certified key of a kind that the caller does not take is refused', t => {
  const subject = tpm.createSubjectKey()
  t.is(refusal({ subject }, { keyKinds: ['ec'] }), 'accepted')
  t.is(refusal({ subject }, { keyKinds: ['rsa'] }), 'statement-key-kind')
  t.is(refusal({ subject }, { keyKinds: [] }), 'statement-key-kind')
  const { objectAttributes } = subject.area
  const area = { ...rsaArea, objectAttributes, authPolicy: new Uint8Array(), scheme: undefined }
  const rsa = createEmulatedKey(area, tpm.storageRoot)
  t.is(refusal({ subject: rsa }, { keyKinds: ['rsa'] }), 'accepted')
  t.is(refusal({ subject: rsa }, { keyKinds: ['ec'] }), 'statement-key-kind')
})

test('A1 a certified key whose scheme is weak or not for signing is refused', t => {
  const area = tpm.createSubjectKey().area as EccPublic
  const { objectAttributes } = area
  const rsa = { ...rsaArea, objectAttributes, authPolicy: new Uint8Array(), scheme: undefined }
  const change = (changed: TpmtPublic): string =>
    refusal({ subject: createEmulatedKey(changed, tpm.storageRoot) })
  const strong = { hash: TPM_ALG.SHA256 }
  t.is(change({ ...area, scheme: { scheme: TPM_ALG.ECDSA, ...strong } }), 'accepted')
  for (const scheme of [TPM_ALG.RSASSA, TPM_ALG.RSAPSS])
    t.is(change({ ...rsa, scheme: { scheme, ...strong } }), 'accepted')
  const weak = { hash: TPM_ALG.SHA1 }
  t.is(change({ ...area, scheme: { scheme: TPM_ALG.ECDSA, ...weak } }), 'statement-scheme')
  t.is(change({ ...rsa, scheme: { scheme: TPM_ALG.RSASSA, ...weak } }), 'statement-scheme')
  t.is(change({ ...area, scheme: { scheme: TPM_ALG.ECDH, ...strong } }), 'statement-scheme')
  t.is(change({ ...rsa, scheme: { scheme: TPM_ALG.OAEP, ...strong } }), 'statement-scheme')
  const kdf = { scheme: 0x0020, ...strong }
  t.is(change({ ...area, kdf }), 'statement-scheme')
  const symmetric = { algorithm: TPM_ALG.AES, keyBits: 128, mode: TPM_ALG.CFB }
  t.is(change({ ...area, symmetric }), 'statement-scheme')
})

const permitted: readonly ObjectAttribute[] = ['userWithAuth', 'adminWithPolicy', 'noDA']

for (const [name, bit] of Object.entries(TPMA_OBJECT)) {
  const isFree = permitted.includes(name as ObjectAttribute)
  test(`F4 a certified key with ${name} turned round is ${isFree ? 'accepted' : 'refused'}`, t => {
    const edit = (area: TpmtPublic): TpmtPublic => ({
      ...area,
      objectAttributes: area.objectAttributes ^ bit,
    })
    const subject = tpm.createSubjectKey(edit)
    t.is(refusal({ subject }), isFree ? 'accepted' : 'statement-attributes')
    if (name === 'decrypt') t.is(refusal({ subject }, { permitsDecryption: true }), 'accepted')
  })
}

test('F10 a certified key that is weak, unreadable, off its curve or named with SHA-1 is refused', t => {
  const edit = (change: Partial<EccPublic>): string =>
    refusal({ subject: tpm.createSubjectKey(area => ({ ...area, ...change }) as TpmtPublic) })
  t.is(edit({ nameAlg: TPM_ALG.SHA1 }), 'statement-name-algorithm')
  t.is(edit({ x: new Uint8Array(32).fill(1) }), 'statement-key-weak')
  const { objectAttributes } = tpm.createSubjectKey().area
  const weak = { ...rsaArea, objectAttributes, authPolicy: new Uint8Array(), scheme: undefined }
  const subject = createEmulatedKey({ ...weak, keyBits: 1024 }, tpm.storageRoot)
  t.is(refusal({ subject }), 'statement-key-weak')
  const pubArea = new Uint8Array(5)
  t.is(refusal({ attStmt: members => ({ ...members, pubArea }) }), 'statement-public-malformed')
})
