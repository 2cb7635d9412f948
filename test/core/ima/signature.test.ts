import test from 'ava'
import * as fc from 'fast-check'
import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify as verifySignature,
  type KeyObject,
} from 'node:crypto'
import { fileHashes } from '../../../src/core/ima/digest.ts'
import { isEcdsaSignatureOf } from '../../../src/core/ima/ecdsa-digest.ts'
import { isSignedFile, parseFileSignature } from '../../../src/core/ima/file-signature.ts'
import { createImaKeyring } from '../../../src/core/ima/keyring.ts'
import { parseImaList } from '../../../src/core/ima/list.ts'
import {
  digestField,
  entryOf,
  makeImaList,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'
import { appraise, codes } from './appraise-fixtures.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })

const spkiOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })
const keyring = createImaKeyring(
  [rsa, p256, p384].map(({ publicKey }) => ({ spki: spkiOf(publicKey) })),
)

function keyIdOf(key: KeyObject): string {
  const [only] = createImaKeyring([{ spki: spkiOf(key) }]).keys()
  return only ?? ''
}

/** The attribute of a file with this content, signed by a key. */
function signatureFor(
  content: string,
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  change: { head?: readonly number[]; hash?: string; keyId?: string; signed?: Uint8Array } = {},
): Uint8Array {
  const name = change.hash ?? 'sha256'
  const id = fileHashes.find(row => row.name === name)?.kernelId ?? 0
  const signed = change.signed ?? Buffer.from(content)
  const value = sign(name, signed, privateKey)
  const size = Buffer.alloc(2)
  size.writeUInt16BE(value.length)
  const keyId = Buffer.from(change.keyId ?? keyIdOf(publicKey), 'hex')
  const head = Uint8Array.from(change.head ?? [3, 2, id])
  return Buffer.concat([head, keyId, size, value])
}

function signedEntry(
  path: string,
  content: string,
  signature: Uint8Array,
  digest = digestField(content),
): MadeEntry {
  return entryOf('ima-sig', [digest, Buffer.from(`${path}\0`), signature])
}

test('a file is allowed by a signature of a key of the keyring', t => {
  for (const key of [rsa, p256, p384]) {
    const entry = signedEntry('/bin/agent', 'agent', signatureFor('agent', key))
    t.is(appraise([entry], { keyring }).signed, 1)
    t.deepEqual(codes(appraise([entry], {})), ['ima-file'])
    t.deepEqual(codes(appraise([entry], { keyring: createImaKeyring([]) })), ['ima-signature'])
  }
})

test('a signature of another file, key, hash or form is refused', t => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const good = Buffer.from(signatureFor('agent', rsa))
  const raw = good.subarray(9)
  const wrong = [
    signatureFor('other', rsa),
    signatureFor('agent', other),
    signatureFor('agent', other, { keyId: keyIdOf(rsa.publicKey) }),
    signatureFor('agent', rsa, { keyId: keyIdOf(p256.publicKey) }),
    signatureFor('agent', p256, { keyId: keyIdOf(rsa.publicKey) }),
    signatureFor('agent', rsa, { hash: 'sha512' }),
    signatureFor('agent', rsa, { head: [3, 2, 6] }),
    signatureFor('agent', rsa, { head: [3, 1, 4] }),
    signatureFor('agent', rsa, { head: [6, 3, 4] }),
    signatureFor('agent', rsa, { head: [2, 2, 4] }),
    signatureFor('agent', rsa, { head: [3, 2, 99] }),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.alloc(1)]),
    raw,
    Buffer.alloc(1),
  ]
  for (const signature of wrong) {
    const appraisal = appraise([signedEntry('/bin/agent', 'agent', signature)], { keyring })
    t.deepEqual(codes(appraisal), ['ima-signature'])
  }
})

test('a signature counts for the digest that was measured alone', t => {
  const signature = signatureFor('agent', rsa)
  const [entry] = [...parseImaList(makeImaList([signedEntry('/x', 'evil', signature)])).entries()]
  if (entry === undefined) throw new Error('the list has one entry')
  t.false(isSignedFile(entry.digest, signature, keyring))
  t.true(
    isSignedFile({ ...entry.digest, value: hash('sha256', 'agent', 'buffer') }, signature, keyring),
  )
})

test('nothing is believed that is signed over SHA-1', t => {
  const signature = signatureFor('agent', rsa, { hash: 'sha1' })
  const entry = signedEntry('/bin/agent', 'agent', signature, digestField('agent', 'sha1'))
  t.deepEqual(codes(appraise([entry], { keyring })), ['ima-signature'])
})

test('other hashes are signed under their own numbers', t => {
  for (const name of ['sha384', 'sha512', 'sha224']) {
    const signature = signatureFor('agent', rsa, { hash: name })
    const entry = signedEntry('/bin/agent', 'agent', signature, digestField('agent', name))
    t.is(appraise([entry], { keyring }).signed, 1, name)
  }
})

test('a verity digest is signed in its own form, version 3', t => {
  const digest = hash('sha256', 'tree', 'buffer')
  const signed = Buffer.concat([Uint8Array.of(6, 4), digest])
  const fields = (signature: Uint8Array): MadeEntry =>
    entryOf('ima-sigv2', [digestField('tree', 'sha256', 'verity:'), Buffer.from('/x\0'), signature])
  for (const key of [rsa, p256]) {
    const good = signatureFor('', key, { head: [6, 3, 4], signed })
    t.is(appraise([fields(good)], { keyring }).signed, 1)
    const plain = signatureFor('tree', key)
    t.is(appraise([fields(plain)], { keyring }).refused, 1)
    const head = [6, 3, 4]
    t.is(appraise([fields(signatureFor('tree', key, { head }))], { keyring }).refused, 1)
  }
})

test('a signature is read to its last byte', t => {
  const parsed = parseFileSignature(signatureFor('agent', rsa))
  t.deepEqual([parsed?.version, parsed?.hash.name, parsed?.value.length], [2, 'sha256', 256])
  for (let length = 0; length < 20; length += 1)
    t.is(parseFileSignature(signatureFor('agent', rsa).subarray(0, length)), undefined)
})

test('keys of the keyring are found by the end of their identifier', t => {
  const spki = spkiOf(rsa.publicKey)
  const subjectKeyId = Buffer.from('0102030405060708', 'hex')
  t.deepEqual([...createImaKeyring([{ spki, subjectKeyId }]).keys()], ['05060708'])
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const code = { instanceOf: TypeError }
  t.throws(() => createImaKeyring([{ spki: spkiOf(weak.publicKey) }]), code)
  const edwards = generateKeyPairSync('ed25519')
  t.throws(() => createImaKeyring([{ spki: spkiOf(edwards.publicKey) }]), code)
})

test('an ECDSA signature over a digest is judged as the runtime judges it over the content', t => {
  const keys = [p256, p384]
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('sha256', 'sha384', 'sha512'),
      fc.nat(1),
      fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))),
      (content, name, pick, change) => {
        const { publicKey, privateKey } = keys[pick] ?? p256
        const signature = sign(name, content, privateKey)
        if (change !== null) {
          const at = change[0] % signature.length
          signature[at] = (signature[at] ?? 0) ^ change[1]
        }
        const expected = verifySignature(name, content, publicKey, signature)
        return isEcdsaSignatureOf(publicKey, hash(name, content, 'buffer'), signature) === expected
      },
    ),
    { numRuns: 60 },
  )
  t.pass()
})

test('r and s of 0 or not below the order, and other curves, are refused', t => {
  const digest = hash('sha256', 'x', 'buffer')
  const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
  const integer = (hex: string): string =>
    `02${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`
  const sequence = (r: string, s: string): Buffer => {
    const body = integer(r) + integer(s)
    return Buffer.from(`30${(body.length / 2).toString(16).padStart(2, '0')}${body}`, 'hex')
  }
  for (const [r, s] of [
    ['00', '01'],
    ['01', '00'],
    [`00${order}`, '01'],
    ['01', `00${order}`],
    ['01', '01'],
  ] as const)
    t.false(isEcdsaSignatureOf(p256.publicKey, digest, sequence(r, s)))
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  t.false(
    isEcdsaSignatureOf(p521.publicKey, digest, sign('sha256', Buffer.from('x'), p521.privateKey)),
  )
})

test('keys at the edges of the curve are judged as the runtime judges them', t => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  for (const d of [1n, 2n, order - 1n, order - 2n]) {
    const ecdh = createECDH('prime256v1')
    ecdh.setPrivateKey(Buffer.from(d.toString(16).padStart(64, '0'), 'hex'))
    const point = ecdh.getPublicKey()
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(part =>
      part.toString('base64url'),
    )
    const jwk = { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
    const secret = Buffer.from(d.toString(16).padStart(64, '0'), 'hex').toString('base64url')
    const privateKey = createPrivateKey({ key: { ...jwk, d: secret }, format: 'jwk' })
    const content = Buffer.from(`content ${d}`)
    const signature = sign('sha256', content, privateKey)
    t.true(verifySignature('sha256', content, publicKey, signature))
    t.true(isEcdsaSignatureOf(publicKey, hash('sha256', content, 'buffer'), signature))
    t.false(isEcdsaSignatureOf(publicKey, hash('sha256', 'other', 'buffer'), signature))
  }
})

test('a signature that leads to no point at all is refused', t => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(Buffer.from('02'.padStart(64, '0'), 'hex'))
  const point = ecdh.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(part => part.toString('base64url'))
  const key = createPublicKey({
    key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' },
    format: 'jwk',
  })
  // With d = 2 and e = 2, r = -1 makes e + r·d zero, whatever s is.
  const digest = Buffer.from('02'.padStart(64, '0'), 'hex')
  const r = (order - 1n).toString(16)
  const signature = Buffer.from(`3026022100${r}020101`, 'hex')
  t.false(isEcdsaSignatureOf(key, digest, signature))
})
