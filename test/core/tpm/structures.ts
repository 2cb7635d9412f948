import { createHash } from 'node:crypto'
import { sized } from '../../../src/core/bytes/encode.ts'
import { FormatError } from '../../../src/core/bytes/format-error.ts'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import {
  encodeTpmsAttest,
  parseTpmsAttest,
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST,
  type TpmsAttest,
} from '../../../src/core/tpm/attest.ts'
import {
  encodeTpmtPublic,
  parseTpmtPublic,
  type EccPublic,
  type RsaPublic,
  type TpmtPublic,
} from '../../../src/core/tpm/public.ts'
import {
  encodeTpmtSignature,
  parseTpmtSignature,
  type TpmtSignature,
} from '../../../src/core/tpm/signature.ts'

/** One well-formed structure, with the function that reads it and the one that writes it. */
export interface Structure {
  readonly name: string
  readonly bytes: Uint8Array
  /** Reads and writes again. */
  readonly copy: (bytes: Uint8Array) => Uint8Array
  /** Where a 16-bit size stands. */
  readonly sizes: readonly number[]
}

/** As many octets as asked for, told apart by their name. */
export function octets(name: string, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, n) =>
    createHash('sha512').update(`${name} ${n}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

export const rsaArea: RsaPublic = {
  type: TPM_ALG.RSA,
  nameAlg: TPM_ALG.SHA256,
  objectAttributes: 0x0005_0072,
  authPolicy: octets('policy', 32),
  symmetric: undefined,
  scheme: { scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 },
  keyBits: 2048,
  exponent: 0,
  modulus: octets('modulus', 256),
}

export const eccArea: EccPublic = {
  type: TPM_ALG.ECC,
  nameAlg: TPM_ALG.SHA384,
  objectAttributes: 0x0003_00f2,
  authPolicy: octets('policy', 48),
  symmetric: { algorithm: TPM_ALG.AES, keyBits: 256, mode: TPM_ALG.CFB },
  scheme: undefined,
  curveId: 4,
  kdf: undefined,
  x: octets('x', 48),
  y: octets('y', 48),
}

const areas: Record<string, TpmtPublic> = {
  'RSA with RSASSA': rsaArea,
  'RSA with RSAES, which has no hash': { ...rsaArea, scheme: { scheme: TPM_ALG.RSAES } },
  'ECC with a symmetric algorithm': eccArea,
  'ECC with ECDAA and its count': {
    ...eccArea,
    symmetric: undefined,
    scheme: { scheme: TPM_ALG.ECDAA, hash: TPM_ALG.SHA256, count: 3 },
  },
  'ECC with a key derivation': { ...eccArea, kdf: { scheme: 0x0020, hash: TPM_ALG.SHA256 } },
}

const head: Omit<TpmsAttest, 'attested'> = {
  magic: TPM_GENERATED_VALUE,
  qualifiedSigner: octets('signer', 34),
  extraData: octets('nonce', 32),
  clockInfo: { clock: 0x0102_0304_0506_0708n, resetCount: 9, restartCount: 8, safe: true },
  firmwareVersion: 0x2019_1023_0016_3636n,
}

export const certifyAttest: TpmsAttest = {
  ...head,
  attested: {
    type: TPM_ST_ATTEST.certify,
    name: octets('name', 34),
    qualifiedName: octets('qualified name', 34),
  },
}

export const quoteAttest: TpmsAttest = {
  ...head,
  attested: {
    type: TPM_ST_ATTEST.quote,
    pcrSelect: [
      { hash: TPM_ALG.SHA256, pcrs: [0, 7, 8, 23] },
      { hash: TPM_ALG.SHA384, pcrs: [] },
    ],
    pcrDigest: octets('digest', 32),
  },
}

const creationAttest: TpmsAttest = {
  ...head,
  clockInfo: { ...head.clockInfo, safe: false },
  attested: {
    type: TPM_ST_ATTEST.creation,
    objectName: octets('name', 34),
    creationHash: octets('creation', 32),
  },
}

const attests: Record<string, TpmsAttest> = {
  'certification of a key': certifyAttest,
  quote: quoteAttest,
  'certification of a creation': creationAttest,
}

const signatures: Record<string, TpmtSignature> = {
  RSASSA: { algorithm: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256, value: octets('rsa', 256) },
  RSAPSS: { algorithm: TPM_ALG.RSAPSS, hash: TPM_ALG.SHA384, value: octets('rsa', 384) },
  ECDSA: {
    algorithm: TPM_ALG.ECDSA,
    hash: TPM_ALG.SHA256,
    r: octets('r', 32),
    s: octets('s', 31),
  },
}

/** Every structure that is read here, in each of its forms. */
export const structures: readonly Structure[] = [
  ...Object.entries(areas).map(([name, area]) =>
    structure(`public area, ${name}`, encodeTpmtPublic(area), area, bytes =>
      encodeTpmtPublic(parseTpmtPublic(bytes)),
    ),
  ),
  ...Object.entries(attests).map(([name, attest]) =>
    structure(name, encodeTpmsAttest(attest), { ...attest, ...attest.attested }, bytes =>
      encodeTpmsAttest(parseTpmsAttest(bytes)),
    ),
  ),
  ...Object.entries(signatures).map(([name, signature]) =>
    structure(`${name} signature`, encodeTpmtSignature(signature), signature, bytes =>
      encodeTpmtSignature(parseTpmtSignature(bytes)),
    ),
  ),
]

function structure(
  name: string,
  bytes: Uint8Array,
  members: object,
  copy: Structure['copy'],
): Structure {
  const byteMembers = Object.values(members).filter(member => member instanceof Uint8Array)
  const sizes = byteMembers.map(member => Buffer.from(bytes).indexOf(sized(member)))
  return { name, bytes, copy, sizes }
}

/** The code with which bytes are not the structure; rethrows what is no such refusal. */
export function formatErrorOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof FormatError) return error.code
    throw error
  }
  return 'read'
}
