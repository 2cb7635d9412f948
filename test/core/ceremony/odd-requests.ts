import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'

/** Each part of a certificate request as DER, so that any of them can be odd. */
export interface RequestParts {
  readonly version?: Uint8Array
  readonly subject?: Uint8Array
  /** One SubjectPublicKeyInfo, or as many as somebody puts there. */
  readonly spki: Uint8Array
  readonly attributes?: Uint8Array
  readonly algorithm?: Uint8Array
  readonly hash?: string
  readonly signer: KeyObject
  /** What stands behind the signature. */
  readonly after?: Uint8Array
}

const identifier = (oid: string, ...parameters: Uint8Array[]): Uint8Array =>
  der.sequence(der.objectIdentifier(oid), ...parameters)
const derNull = Uint8Array.of(5, 0)
const ecdsaSha256 = identifier('1.2.840.10045.4.3.2')
export const ecdsaSha384: Uint8Array = identifier('1.2.840.10045.4.3.3')
const ecdsaSha1 = identifier('1.2.840.10045.4.1')
const rsaSha256 = identifier('1.2.840.113549.1.1.11', derNull)
const ed25519 = identifier('1.3.101.112')

/** A certificate request as its parts make it, signed. RFC 2986 §4. */
export function buildRequest(parts: RequestParts): Uint8Array {
  const { version = der.smallInteger(0), subject = der.sequence() } = parts
  const { attributes = der.contextConstructed(0), algorithm = ecdsaSha256 } = parts
  const signed = der.sequence(version, subject, parts.spki, attributes)
  const { hash = 'sha256', signer, after = new Uint8Array() } = parts
  const isEdwards = signer.asymmetricKeyType === 'ed25519'
  const signature = sign(isEdwards ? null : hash, signed, signer)
  return der.sequence(signed, algorithm, der.bitString(signature), after)
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const otherEc = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const wide = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 })
const rsa2048 = generateKeyPairSync('rsa', { modulusLength: 2048 })
const edwards = generateKeyPairSync('ed25519')

const spkiOf = ({ publicKey }: { readonly publicKey: KeyObject }): Uint8Array =>
  new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))

/** The one key that all good requests here are for. */
export const requestedSpki: Uint8Array = spkiOf(ec)
const good: RequestParts = { spki: requestedSpki, signer: ec.privateKey }
export const goodRequest: Uint8Array = buildRequest(good)

/** `Attribute ::= SEQUENCE { type, values SET }` of PKCS #9, inside `[0]`. */
function attribute(type: string, value: Uint8Array): Uint8Array {
  return der.contextConstructed(0, der.sequence(der.objectIdentifier(type), der.setOf(value)))
}

const extension = (oid: string, value: Uint8Array): Uint8Array =>
  der.sequence(der.objectIdentifier(oid), der.booleanTrue, der.octetString(value))

/** Asks to be a CA without a path length, of another trust domain, for servers. RFC 2985 §5.4.2. */
const greedy = attribute(
  '1.2.840.113549.1.9.14',
  der.sequence(
    extension('2.5.29.19', der.sequence(der.booleanTrue)),
    extension(
      '2.5.29.17',
      der.sequence(der.implicitPrimitive(6, Buffer.from('spiffe://evil.example'))),
    ),
    extension('2.5.29.37', der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.3.1'))),
  ),
)
const named = der.sequence(
  der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String('Evil root'))),
)

const offCurve = Buffer.from(requestedSpki)
offCurve.writeUInt8((offCurve.at(-1) ?? 0) ^ 1, offCurve.length - 1)
const compressed = der.sequence(
  der.sequence(
    der.objectIdentifier('1.2.840.10045.2.1'),
    der.objectIdentifier('1.2.840.10045.3.1.7'),
  ),
  der.bitString(Buffer.concat([Buffer.of(2), requestedSpki.subarray(-64, -32)])),
)
const broken = Buffer.from(goodRequest)
broken.writeUInt8((broken.at(-1) ?? 0) ^ 1, broken.length - 1)
const explicit = Buffer.from(
  ec.publicKey
    .export({ format: 'der', type: 'spki' })
    .toString('hex')
    .replace('06082a8648ce3d030107', '06082a8648ce3d030105'),
  'hex',
)

/** What asks for more than is its due, and gets its key certified and nothing else. */
export const greedyRequests: readonly (readonly [string, Uint8Array])[] = [
  ['extensions of its own wish', buildRequest({ ...good, attributes: greedy })],
  ['a name of its own wish', buildRequest({ ...good, subject: named })],
  [
    'a challenge password',
    buildRequest({
      ...good,
      attributes: attribute('1.2.840.113549.1.9.7', der.utf8String('secret')),
    }),
  ],
]

/** What is odd, the code that refuses it, the request. */
export const oddRequests: readonly (readonly [string, string, Uint8Array])[] = [
  ['nothing', 'csr-malformed', new Uint8Array()],
  ['half of a request', 'csr-malformed', goodRequest.subarray(0, 60)],
  ['a byte behind it', 'csr-malformed', Buffer.concat([goodRequest, Buffer.of(0)])],
  ['a second request behind it', 'csr-malformed', Buffer.concat([goodRequest, goodRequest])],
  ['something behind the signature', 'csr-malformed', buildRequest({ ...good, after: derNull })],
  ['another version', 'csr-malformed', buildRequest({ ...good, version: der.smallInteger(2) })],
  [
    'two keys',
    'csr-malformed',
    buildRequest({ ...good, spki: Buffer.concat([requestedSpki, spkiOf(otherEc)]) }),
  ],
  ['no key', 'csr-malformed', buildRequest({ ...good, spki: new Uint8Array() })],
  [
    'no attributes at all',
    'csr-malformed',
    buildRequest({ ...good, attributes: new Uint8Array() }),
  ],
  [
    'a key that is cut short',
    'csr-malformed',
    buildRequest({ ...good, spki: der.sequence(der.sequence(), der.bitString(new Uint8Array(3))) }),
  ],
  [
    '20,000 bytes',
    'csr-malformed',
    buildRequest({
      ...good,
      attributes: attribute('1.2.3', der.octetString(new Uint8Array(20_000))),
    }),
  ],
  [
    'a certificate in its place',
    'csr-malformed',
    der.sequence(der.sequence(), ecdsaSha256, derNull),
  ],
  ['a bit of its signature changed', 'csr-signature', broken],
  [
    'the signature of another key',
    'csr-signature',
    buildRequest({ ...good, signer: otherEc.privateKey }),
  ],
  [
    'the hash of another curve',
    'csr-algorithm',
    buildRequest({ ...good, algorithm: ecdsaSha384, hash: 'sha384' }),
  ],
  ['SHA-1', 'csr-algorithm', buildRequest({ ...good, algorithm: ecdsaSha1, hash: 'sha1' })],
  [
    'the algorithm of RSA on a key of ECDSA',
    'csr-algorithm',
    buildRequest({ ...good, algorithm: rsaSha256 }),
  ],
  [
    'an algorithm that nobody knows',
    'csr-algorithm',
    buildRequest({ ...good, algorithm: identifier('1.2.3.4') }),
  ],
  [
    'a weak RSA key',
    'ceremony-key',
    buildRequest({ spki: spkiOf(rsa1024), signer: rsa1024.privateKey, algorithm: rsaSha256 }),
  ],
  [
    'a strong RSA key',
    'ceremony-key',
    buildRequest({ spki: spkiOf(rsa2048), signer: rsa2048.privateKey, algorithm: rsaSha256 }),
  ],
  [
    'a key on P-521',
    'ceremony-key',
    buildRequest({
      spki: spkiOf(wide),
      signer: wide.privateKey,
      algorithm: identifier('1.2.840.10045.4.3.4'),
      hash: 'sha512',
    }),
  ],
  [
    'a key on secp256k1',
    'ceremony-key',
    buildRequest({ spki: spkiOf(koblitz), signer: koblitz.privateKey }),
  ],
  ['a key on a curve that nobody knows', 'ceremony-key', buildRequest({ ...good, spki: explicit })],
  ['a point off its curve', 'ceremony-key', buildRequest({ ...good, spki: offCurve })],
  ['a compressed point', 'ceremony-key', buildRequest({ ...good, spki: compressed })],
  [
    'a key on Ed25519',
    'csr-algorithm',
    buildRequest({ spki: spkiOf(edwards), signer: edwards.privateKey, algorithm: ed25519 }),
  ],
]
