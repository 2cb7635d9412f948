import { constants, createHmac, createPrivateKey, privateDecrypt } from 'node:crypto'
import { isEqual } from '../../src/core/bytes/equal.ts'
import { TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import { isSignedBy, keyObjectOf, type TpmtSignature } from '../../src/core/tpm/signature.ts'
import type { TpmtPublic } from '../../src/core/tpm/public.ts'
import { rsaArea } from '../core/tpm/structures.ts'
import { agreeOnSecret, verifyCurveSignature } from './wycheproof-curves.ts'
import { joseSuite } from './wycheproof-jose.ts'
import type { Finding, Verdict } from './vector.ts'
import { octets, type Case } from './wycheproof-case.ts'

/** Runs all cases of one group. */
export type Suite = (group: never) => Finding[]

interface SignatureCase extends Case {
  readonly msg: string
  readonly sig: string
}

/** The suites by schema, each on the function of the core that does what it is about. */
export const suites: Readonly<Record<string, Suite>> = {
  'ecdsa_p1363_verify_schema_v1.json': cases(verifyCurveSignature),
  'ecdh_ecpoint_test_schema_v1.json': cases(agreeOnSecret),
  'rsassa_pkcs1_verify_schema_v1.json': cases(rsaVerifier(TPM_ALG.RSASSA)),
  'rsassa_pss_verify_schema_v1.json': cases(rsaVerifier(TPM_ALG.RSAPSS)),
  'rsaes_oaep_decrypt_schema_v1.json': cases(decrypts),
  'mac_test_schema_v1.json': cases(authenticates),
  'json_web_signature_schema_v1.json': joseSuite,
  'json_web_key_schema_v1.json': joseSuite,
  'json_web_crypto_schema_v1.json': joseSuite,
}

/** One finding a case. What a library may accept or refuse (`acceptable`) is refused here: there is one encoding. */
function cases(run: (group: never, test: never) => boolean): Suite {
  return ({ tests, ...group }: { readonly tests: readonly Case[] }) =>
    tests.map(test => {
      const decision = decisionOn(test)
      return {
        name: String(test.tcId),
        expected: decision?.expected ?? (test.result === 'valid' ? 'accept' : 'refuse'),
        found: verdict(run(group as never, test as never)),
        detail: decision?.reason ?? test.comment,
      }
    })
}

/** Where the suite is about one length of salt, and TPMs have two: the length is read from the signature. */
function decisionOn({ comment }: Case): { expected: Verdict; reason: string } | undefined {
  if (!comment.startsWith('s_len changed')) return undefined
  return { expected: 'accept', reason: 'decided: any length of salt (verification F7)' }
}

function verdict(isAccepted: boolean): Verdict {
  return isAccepted ? 'accept' : 'refuse'
}

interface RsaGroup {
  readonly keySize: number
  readonly publicKey: { readonly modulus: string; readonly publicExponent: string }
}

/** A signature under a key of a TPM whose scheme is this one with SHA-256. */
function rsaVerifier(scheme: typeof TPM_ALG.RSASSA | typeof TPM_ALG.RSAPSS) {
  return ({ publicKey }: RsaGroup, { msg, sig }: SignatureCase): boolean => {
    const modulus = octets(publicKey.modulus)
    const area: TpmtPublic = {
      ...rsaArea,
      scheme: { scheme, hash: TPM_ALG.SHA256 },
      exponent: Number.parseInt(publicKey.publicExponent, 16),
      modulus: modulus[0] === 0 ? modulus.subarray(1) : modulus,
    }
    const key = keyObjectOf(area)
    const signature: TpmtSignature = { algorithm: scheme, hash: TPM_ALG.SHA256, value: octets(sig) }
    return key !== undefined && isSignedBy(area, key, octets(msg), signature)
  }
}

interface OaepGroup {
  readonly privateKeyPem: string
}

interface OaepCase extends Case {
  readonly msg: string
  readonly ct: string
  readonly label: string
}

/** OAEP by the runtime, with the options that protect a seed (TPM 2.0 Part 1 r01.59 §B.4). */
function decrypts({ privateKeyPem }: OaepGroup, { msg, ct, label }: OaepCase): boolean {
  try {
    const decrypted = privateDecrypt(
      {
        key: createPrivateKey(privateKeyPem),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
        oaepLabel: octets(label),
      },
      octets(ct),
    )
    return decrypted.equals(octets(msg))
  } catch {
    return false
  }
}

interface MacGroup {
  readonly tagSize: number
}

interface MacCase extends Case {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

/** HMAC by the runtime, compared as proofs are. */
function authenticates({ tagSize }: MacGroup, { key, msg, tag }: MacCase): boolean {
  const whole = createHmac('sha256', octets(key)).update(octets(msg)).digest()
  return isEqual(whole.subarray(0, tagSize / 8), octets(tag))
}
