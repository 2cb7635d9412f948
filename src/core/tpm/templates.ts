import { TPM_ALG } from './algorithm.ts'
import { TPMA_OBJECT } from './attributes.ts'
import { encodeTpmtPublic, type EccPublic, type RsaPublic, type TpmtPublic } from './public.ts'

/** One template of the TCG EK Credential Profile, with where its certificate is kept. */
export interface EndorsementTemplate {
  readonly name: 'L-1' | 'L-2' | 'H-1' | 'H-2' | 'H-3' | 'H-4' | 'H-6' | 'H-7'
  /** NV index of the certificate. */
  readonly certificateIndex: number
  /** The public area with the `unique` that goes into TPM2_CreatePrimary. */
  readonly public: TpmtPublic
}

// TPM 2.0 Part 3 r01.59 §23.4: the digests of PolicySecret(endorsement), and of PolicyOR over it and PolicyC.
const policyA256 = Buffer.from(
  '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa',
  'hex',
)
const policyB256 = Buffer.from(
  'ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0',
  'hex',
)
const policyB384 = Buffer.from(
  'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12',
  'hex',
)
const policyB512 = Buffer.from(
  'b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a429c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea',
  'hex',
)

const lowRange = 0x0003_00b2
const highRange = 0x0003_00f2
const aes = (keyBits: 128 | 256): { algorithm: number; keyBits: number; mode: number } => ({
  algorithm: TPM_ALG.AES,
  keyBits,
  mode: TPM_ALG.CFB,
})

function rsaTemplate(
  keyBits: number,
  nameAlg: number,
  objectAttributes: number,
  authPolicy: Uint8Array,
  unique: number,
): RsaPublic {
  return {
    type: TPM_ALG.RSA,
    nameAlg,
    objectAttributes,
    authPolicy,
    symmetric: aes(nameAlg === TPM_ALG.SHA256 ? 128 : 256),
    scheme: undefined,
    keyBits,
    exponent: 0,
    modulus: new Uint8Array(unique),
  }
}

function eccTemplate(
  curveId: number,
  nameAlg: number,
  objectAttributes: number,
  authPolicy: Uint8Array,
  unique: number,
): EccPublic {
  return {
    type: TPM_ALG.ECC,
    nameAlg,
    objectAttributes,
    authPolicy,
    symmetric: aes(nameAlg === TPM_ALG.SHA256 ? 128 : 256),
    scheme: undefined,
    curveId,
    kdf: undefined,
    x: new Uint8Array(unique),
    y: new Uint8Array(unique),
  }
}

/** The templates that are challenged; SM2 (H-5) and everything else is not. TCG EK Credential Profile v2.5 Annex B. */
export const endorsementTemplates: readonly EndorsementTemplate[] = [
  {
    name: 'L-1',
    certificateIndex: 0x01c0_0002,
    public: rsaTemplate(2048, TPM_ALG.SHA256, lowRange, policyA256, 256),
  },
  {
    name: 'L-2',
    certificateIndex: 0x01c0_000a,
    public: eccTemplate(3, TPM_ALG.SHA256, lowRange, policyA256, 32),
  },
  {
    name: 'H-1',
    certificateIndex: 0x01c0_0012,
    public: rsaTemplate(2048, TPM_ALG.SHA256, highRange, policyB256, 0),
  },
  {
    name: 'H-2',
    certificateIndex: 0x01c0_0014,
    public: eccTemplate(3, TPM_ALG.SHA256, highRange, policyB256, 0),
  },
  {
    name: 'H-3',
    certificateIndex: 0x01c0_0016,
    public: eccTemplate(4, TPM_ALG.SHA384, highRange, policyB384, 0),
  },
  {
    name: 'H-4',
    certificateIndex: 0x01c0_0018,
    public: eccTemplate(5, TPM_ALG.SHA512, highRange, policyB512, 0),
  },
  {
    name: 'H-6',
    certificateIndex: 0x01c0_001c,
    public: rsaTemplate(3072, TPM_ALG.SHA384, highRange, policyB384, 0),
  },
  {
    name: 'H-7',
    certificateIndex: 0x01c0_001e,
    public: rsaTemplate(4096, TPM_ALG.SHA384, highRange, policyB384, 0),
  },
]

/** The template that a public area follows in everything but its key; undefined when there is none. */
export function matchEndorsementTemplate(area: TpmtPublic): EndorsementTemplate | undefined {
  return endorsementTemplates.find(template => {
    const shape = encodeTpmtPublic(withoutKey(template.public))
    return Buffer.compare(shape, encodeTpmtPublic(withoutKey(area))) === 0
  })
}

function withoutKey(area: TpmtPublic): TpmtPublic {
  const empty = new Uint8Array()
  return area.type === TPM_ALG.RSA ? { ...area, modulus: empty } : { ...area, x: empty, y: empty }
}

/**
 * Template of a host's attestation key: restricted ECDSA on P-256, a primary of the endorsement hierarchy.
 *
 * @param salt 32 bytes for `unique`: another service's salt gives another key, so that hosts cannot be linked
 * @returns TPMT_PUBLIC
 */
export function attestationKeyTemplate(salt: Uint8Array): Uint8Array {
  return encodeTpmtPublic({
    type: TPM_ALG.ECC,
    nameAlg: TPM_ALG.SHA256,
    objectAttributes:
      TPMA_OBJECT.fixedTPM |
      TPMA_OBJECT.fixedParent |
      TPMA_OBJECT.sensitiveDataOrigin |
      TPMA_OBJECT.userWithAuth |
      TPMA_OBJECT.noDA |
      TPMA_OBJECT.restricted |
      TPMA_OBJECT.sign,
    authPolicy: new Uint8Array(),
    symmetric: undefined,
    scheme: { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 },
    curveId: 3,
    kdf: undefined,
    x: salt,
    y: new Uint8Array(),
  })
}

/**
 * Template of the storage key below the owner hierarchy, as TSS2 key files with parent 0x40000001 mean it.
 *
 * @returns TPMT_PUBLIC
 * @see TCG TPM v2.0 Provisioning Guidance v1.0 §7.5.1; draft-bottomley-tpm2-keys §3.1.8
 */
export function storageRootTemplate(): Uint8Array {
  return encodeTpmtPublic({
    type: TPM_ALG.ECC,
    nameAlg: TPM_ALG.SHA256,
    objectAttributes:
      TPMA_OBJECT.fixedTPM |
      TPMA_OBJECT.fixedParent |
      TPMA_OBJECT.sensitiveDataOrigin |
      TPMA_OBJECT.userWithAuth |
      TPMA_OBJECT.noDA |
      TPMA_OBJECT.restricted |
      TPMA_OBJECT.decrypt,
    authPolicy: new Uint8Array(),
    symmetric: aes(128),
    scheme: undefined,
    curveId: 3,
    kdf: undefined,
    x: new Uint8Array(),
    y: new Uint8Array(),
  })
}

/**
 * Template of a subject key: signs, and nothing else; born in the TPM and fixed to it.
 *
 * @returns TPMT_PUBLIC
 */
export function subjectKeyTemplate(): Uint8Array {
  return encodeTpmtPublic({
    type: TPM_ALG.ECC,
    nameAlg: TPM_ALG.SHA256,
    objectAttributes:
      TPMA_OBJECT.fixedTPM |
      TPMA_OBJECT.fixedParent |
      TPMA_OBJECT.sensitiveDataOrigin |
      TPMA_OBJECT.userWithAuth |
      TPMA_OBJECT.noDA |
      TPMA_OBJECT.sign,
    authPolicy: new Uint8Array(),
    symmetric: undefined,
    scheme: undefined,
    curveId: 3,
    kdf: undefined,
    x: new Uint8Array(),
    y: new Uint8Array(),
  })
}
