import { randomBytes } from 'node:crypto'
import type { Handle, PKCS11, Template } from 'pkcs11js'
import { CKA, CKK, CKM, CKO, curvesByParameters } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** A private key in a token, with its public half. */
export interface KeyObjects {
  readonly privateKey: Handle
  readonly curve: 'P-256' | 'P-384'
  /** Uncompressed point. */
  readonly point: Uint8Array
}

/**
 * Finds the one private key that the URI names, and its public half; it must have been born in the token and be unable
 * to leave it.
 *
 * @throws Pkcs11Error `pkcs11-key-absent`, `pkcs11-key-ambiguous`, `pkcs11-key-exportable`, `pkcs11-key-unsuitable`
 */
export function findKey(module: PKCS11, session: Handle, uri: Pkcs11Uri): KeyObjects {
  const found = findObjects(module, session, [
    { type: CKA.CLASS, value: CKO.PRIVATE_KEY },
    ...namesOf(uri),
  ])
  const [privateKey, ...others] = found
  if (privateKey === undefined)
    throw new Pkcs11Error('pkcs11-key-absent', { expected: uri.object ?? 'the id of the URI' })
  if (others.length > 0)
    throw new Pkcs11Error('pkcs11-key-ambiguous', { found: `${found.length} keys` })
  requireBornInside(module, session, privateKey)
  return { privateKey, ...publicHalf(module, session, privateKey) }
}

/**
 * Makes a key pair on P-256 in the token, under the label and id of the URI.
 *
 * @throws Pkcs11Error `pkcs11-key-exists`
 */
export function generateKey(module: PKCS11, session: Handle, uri: Pkcs11Uri): void {
  const found = findObjects(module, session, [
    { type: CKA.CLASS, value: CKO.PRIVATE_KEY },
    ...namesOf(uri),
  ])
  if (found.length > 0)
    throw new Pkcs11Error('pkcs11-key-exists', { found: uri.object ?? 'the id of the URI' })
  const shared = [
    { type: CKA.TOKEN, value: true },
    { type: CKA.LABEL, value: uri.object ?? 'assay' },
    { type: CKA.ID, value: Buffer.from(uri.id ?? randomBytes(16)) },
  ]
  module.C_GenerateKeyPair(
    session,
    { mechanism: CKM.EC_KEY_PAIR_GEN },
    [
      ...shared,
      { type: CKA.EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') },
      { type: CKA.VERIFY, value: true },
    ],
    [
      ...shared,
      { type: CKA.PRIVATE, value: true },
      { type: CKA.SENSITIVE, value: true },
      { type: CKA.EXTRACTABLE, value: false },
      { type: CKA.SIGN, value: true },
    ],
  )
}

function namesOf({ object, id }: Pkcs11Uri): Template {
  return [
    ...(object === undefined ? [] : [{ type: CKA.LABEL, value: object }]),
    ...(id === undefined ? [] : [{ type: CKA.ID, value: Buffer.from(id) }]),
  ]
}

function findObjects(module: PKCS11, session: Handle, template: Template): Handle[] {
  module.C_FindObjectsInit(session, template)
  try {
    return module.C_FindObjects(session, 16)
  } finally {
    module.C_FindObjectsFinal(session)
  }
}

/** One attribute; undefined where the token does not have it or does not show it. */
function attributeOf(
  module: PKCS11,
  session: Handle,
  object: Handle,
  type: number,
): Buffer | undefined {
  try {
    const [attribute] = module.C_GetAttributeValue(session, object, [{ type }])
    const value = attribute?.value
    return Buffer.isBuffer(value) ? value : undefined
  } catch (error) {
    // PKCS #11 v3.0 §5.7.5: the two answers that say that there is no value to be had.
    if (error instanceof Error && /^CKR_ATTRIBUTE_(TYPE_INVALID|SENSITIVE)/.test(error.message))
      return undefined
    throw error
  }
}

function isTrue(value: Buffer | undefined): boolean {
  return value?.length === 1 && value[0] === 1
}

function requireBornInside(module: PKCS11, session: Handle, key: Handle): void {
  const read = (type: number): Buffer | undefined => attributeOf(module, session, key, type)
  const rules = [
    ['CKA_ALWAYS_SENSITIVE', CKA.ALWAYS_SENSITIVE],
    ['CKA_NEVER_EXTRACTABLE', CKA.NEVER_EXTRACTABLE],
  ] as const
  for (const [name, type] of rules)
    if (!isTrue(read(type))) throw new Pkcs11Error('pkcs11-key-exportable', { expected: name })
  if (!isTrue(read(CKA.SIGN))) throw unsuitable('CKA_SIGN')
  if (isTrue(read(CKA.ALWAYS_AUTHENTICATE))) throw unsuitable('no CKA_ALWAYS_AUTHENTICATE')
}

/** Curve and point, from the public key of the same id, or from the private key where the token shows them there. */
function publicHalf(
  module: PKCS11,
  session: Handle,
  privateKey: Handle,
): { curve: 'P-256' | 'P-384'; point: Uint8Array } {
  const id = attributeOf(module, session, privateKey, CKA.ID)
  const publicKeys =
    id === undefined || id.length === 0
      ? []
      : findObjects(module, session, [
          { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
          { type: CKA.KEY_TYPE, value: CKK.EC },
          { type: CKA.ID, value: id },
        ])
  for (const object of [...publicKeys, privateKey]) {
    const parameters = attributeOf(module, session, object, CKA.EC_PARAMS)
    const point = attributeOf(module, session, object, CKA.EC_POINT)
    const curve = curvesByParameters[parameters?.toString('hex') ?? '']
    if (curve !== undefined && point !== undefined)
      return { curve, point: uncompressed(point, curve === 'P-256' ? 32 : 48) }
  }
  throw unsuitable('a public key on P-256 or P-384 with the same CKA_ID')
}

/** The point inside the OCTET STRING that the standard asks for, or bare as some tokens give it. */
function uncompressed(encoded: Buffer, coordinate: number): Uint8Array {
  const length = 1 + 2 * coordinate
  const point = encoded.subarray(-length)
  const header = encoded.subarray(0, -length)
  const isWrapped = header.equals(Buffer.of(0x04, length))
  if (point.length !== length || point[0] !== 0x04 || (header.length > 0 && !isWrapped))
    throw unsuitable('an uncompressed point')
  return new Uint8Array(point)
}

function unsuitable(expected: string): Pkcs11Error {
  return new Pkcs11Error('pkcs11-key-unsuitable', { expected })
}
