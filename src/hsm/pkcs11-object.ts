import { randomBytes } from 'node:crypto'
import type { Handle, PKCS11, Template } from 'pkcs11js'
import { readAttribute, requireBornInside } from './pkcs11-attributes.ts'
import { CKA, CKO, kinds, kindsByParameters, type KeyKind } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** A private key in a token, with its public half. */
export interface KeyObjects {
  readonly privateKey: Handle
  readonly kind: KeyKind
  /** Uncompressed point; of Ed25519 its 32 bytes. */
  readonly point: Uint8Array
}

/**
 * Finds the one private key that the URI names, and its public half; it must have been born in the token and be unable
 * to leave it.
 *
 * @throws Pkcs11Error `pkcs11-key-absent`, `pkcs11-key-ambiguous`, `pkcs11-key-…` of the attributes
 */
export function findKey(module: PKCS11, session: Handle, uri: Pkcs11Uri): KeyObjects {
  const found = privateKeys(module, session, uri)
  const [privateKey, ...others] = found
  if (privateKey === undefined)
    throw new Pkcs11Error('pkcs11-key-absent', { expected: uri.object ?? 'the id of the URI' })
  if (others.length > 0)
    throw new Pkcs11Error('pkcs11-key-ambiguous', { found: `${found.length} keys` })
  requireBornInside(module, session, privateKey)
  return { privateKey, ...publicHalf(module, session, privateKey) }
}

/**
 * Finds the private key that goes with a public point, whatever it is called and whatever it may do: who looks at it
 * wants to know.
 *
 * @param point uncompressed
 * @throws Pkcs11Error `pkcs11-key-absent`, `pkcs11-key-ambiguous`
 */
export function findKeyOfPoint(module: PKCS11, session: Handle, point: Uint8Array): KeyObjects {
  const wrapped = Buffer.concat([Buffer.of(0x04, point.length), point])
  const publicKeys = [wrapped, Buffer.from(point)].flatMap(value =>
    findObjects(module, session, [
      { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
      { type: CKA.EC_POINT, value },
    ]),
  )
  const ids = publicKeys.map(key => readAttribute(module, session, key, CKA.ID)?.toString('hex'))
  const found = [...new Set(ids)].flatMap(id =>
    id === undefined || id === ''
      ? []
      : privateKeys(module, session, { modulePath: '', id: Buffer.from(id, 'hex') }),
  )
  const [privateKey, ...others] = found
  if (privateKey === undefined)
    throw new Pkcs11Error('pkcs11-key-absent', { expected: 'the key of the request' })
  if (others.length > 0)
    throw new Pkcs11Error('pkcs11-key-ambiguous', { found: `${found.length} keys` })
  return { privateKey, ...publicHalf(module, session, privateKey) }
}

/** What a token may not know, and what is left out then: PKCS #11 v3.0 §5.1 for such a template. */
const isTemplateRefused = /^CKR_(ATTRIBUTE_(TYPE|VALUE)_INVALID|ATTRIBUTE_READ_ONLY|TEMPLATE_IN)/

/**
 * Makes a key pair in the token, under the label and id of the URI: sensitive, not extractable, for signing alone, and
 * not to be modified where the token knows how to hold to that.
 *
 * @throws Pkcs11Error `pkcs11-key-exists`, `pkcs11-token-full`, `pkcs11-kind-absent`
 */
export function generateKey(module: PKCS11, session: Handle, uri: Pkcs11Uri, kind: KeyKind): void {
  if (privateKeys(module, session, uri).length > 0)
    throw new Pkcs11Error('pkcs11-key-exists', { found: uri.object ?? 'the id of the URI' })
  const shared = [
    { type: CKA.TOKEN, value: true },
    { type: CKA.LABEL, value: uri.object ?? 'assay' },
    { type: CKA.ID, value: Buffer.from(uri.id ?? randomBytes(16)) },
  ]
  try {
    try {
      generatePair(module, session, kind, shared, unbending)
    } catch (error) {
      if (!(error instanceof Error) || !isTemplateRefused.test(error.message)) throw error
      generatePair(module, session, kind, shared, [])
    }
  } catch (error) {
    throw isKindRefused(error) ? new Pkcs11Error('pkcs11-kind-absent', { expected: kind }) : error
  }
}

/** CKR_CURVE_NOT_SUPPORTED, a number that the binding has no name for. PKCS #11 v3.0 §5.1.6. */
const curveNotSupported = 0x140

function isKindRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { readonly code?: unknown }
  const names = /^CKR_(MECHANISM_INVALID|MECHANISM_PARAM_INVALID|DOMAIN_PARAMS_INVALID)/
  return code === curveNotSupported || names.test(error.message)
}

/** Attributes beyond those that {@link requireBornInside} insists on. */
const unbending: Template = [
  { type: CKA.MODIFIABLE, value: false },
  { type: CKA.COPYABLE, value: false },
  { type: CKA.DECRYPT, value: false },
  { type: CKA.SIGN_RECOVER, value: false },
  { type: CKA.DERIVE, value: false },
  { type: CKA.UNWRAP, value: false },
]

function generatePair(
  module: PKCS11,
  session: Handle,
  kind: KeyKind,
  shared: Template,
  more: Template,
): void {
  const { parameters, generation } = kinds[kind]
  module.C_GenerateKeyPair(
    session,
    { mechanism: generation },
    [
      ...shared,
      { type: CKA.EC_PARAMS, value: Buffer.from(parameters, 'hex') },
      { type: CKA.VERIFY, value: true },
    ],
    [
      ...shared,
      { type: CKA.PRIVATE, value: true },
      { type: CKA.SENSITIVE, value: true },
      { type: CKA.EXTRACTABLE, value: false },
      { type: CKA.SIGN, value: true },
      ...more,
    ],
  )
}

/**
 * Takes the private key that the URI names out of the token, and the public keys of its id; none there is no error. With
 * a point nothing is taken unless it is the key of that point, and the only one of its name: which of several has which
 * point a token does not say.
 *
 * @throws Pkcs11Error `pkcs11-key-ambiguous`, and as the token fails
 */
export function destroyKey(module: PKCS11, session: Handle, uri: Pkcs11Uri): void {
  const { point } = uri
  const named = privateKeys(module, session, uri)
  if (point !== undefined && named.length > 1)
    throw new Pkcs11Error('pkcs11-key-ambiguous', { found: `${named.length} keys` })
  const meant =
    point === undefined
      ? named
      : named.filter(key =>
          Buffer.from(point).equals(Buffer.from(publicHalf(module, session, key).point)),
        )
  for (const privateKey of meant) {
    const publicKeys = publicKeysOf(module, session, privateKey)
    for (const object of [privateKey, ...publicKeys]) module.C_DestroyObject(session, object)
  }
}

function privateKeys(module: PKCS11, session: Handle, { object, id }: Pkcs11Uri): Handle[] {
  return findObjects(module, session, [
    { type: CKA.CLASS, value: CKO.PRIVATE_KEY },
    ...(object === undefined ? [] : [{ type: CKA.LABEL, value: object }]),
    ...(id === undefined ? [] : [{ type: CKA.ID, value: Buffer.from(id) }]),
  ])
}

function findObjects(module: PKCS11, session: Handle, template: Template): Handle[] {
  module.C_FindObjectsInit(session, template)
  try {
    return module.C_FindObjects(session, 16)
  } finally {
    module.C_FindObjectsFinal(session)
  }
}

function publicKeysOf(module: PKCS11, session: Handle, privateKey: Handle): Handle[] {
  const id = readAttribute(module, session, privateKey, CKA.ID)
  if (id === undefined || id.length === 0) return []
  return findObjects(module, session, [
    { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
    { type: CKA.ID, value: id },
  ])
}

/** Kind and point, from the public key of the same id, or from the private key where the token shows them there. */
function publicHalf(
  module: PKCS11,
  session: Handle,
  privateKey: Handle,
): { kind: KeyKind; point: Uint8Array } {
  for (const object of [...publicKeysOf(module, session, privateKey), privateKey]) {
    const parameters = readAttribute(module, session, object, CKA.EC_PARAMS)
    const point = readAttribute(module, session, object, CKA.EC_POINT)
    const kind = kindsByParameters[parameters?.toString('hex') ?? '']
    if (kind !== undefined && point !== undefined) return { kind, point: barePoint(point, kind) }
  }
  throw unsuitable('a public key on P-256, P-384 or Ed25519 with the same CKA_ID')
}

/** The point inside the OCTET STRING that the standard asks for, or bare as some tokens give it. */
function barePoint(encoded: Buffer, kind: KeyKind): Uint8Array {
  const { pointLength } = kinds[kind]
  const point = encoded.subarray(-pointLength)
  const header = encoded.subarray(0, -pointLength)
  const isWrapped = header.equals(Buffer.of(0x04, pointLength))
  const isWhole = kind === 'Ed25519' || point[0] === 0x04
  if (point.length !== pointLength || !isWhole || (header.length > 0 && !isWrapped))
    throw unsuitable('an uncompressed point')
  return new Uint8Array(point)
}

function unsuitable(expected: string): Pkcs11Error {
  return new Pkcs11Error('pkcs11-key-unsuitable', { expected })
}
