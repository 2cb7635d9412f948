import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import type { PlatformState } from '../../src/core/appraisal/platform-state.ts'
import { encodeTpmsAttest, TPM_GENERATED_VALUE, TPM_ST_ATTEST } from '../../src/core/tpm/attest.ts'
import { parseTpmtPublic } from '../../src/core/tpm/public.ts'
import {
  attestationKeyTemplate,
  storageRootTemplate,
  subjectKeyTemplate,
} from '../../src/core/tpm/templates.ts'
import { certifyBinding } from '../../src/core/verifier/transcript.ts'
import {
  createEmulatedKey,
  signAsTpm,
  withArea,
  type Above,
  type EmulatedKey,
} from '../../swtpm/emulated/key.ts'
import { certificationRequest } from '../support/certification-request.ts'
import type { BenchAgent } from './population.ts'

/** The TPM that all hosts of a bench have: what its chip would take is not the service's to answer for. */
export interface BenchTpm {
  readonly attestationKey: EmulatedKey
  readonly storageRoot: EmulatedKey
}

/** The same as it crosses to another process: PKCS #8, base64. */
export interface BenchTpmText {
  readonly attestationKey: string
  readonly storageRoot: string
}

const attestationTemplate = attestationKeyTemplate(new Uint8Array(32))
const firmwareVersion = 1n
const clockInfo = { clock: 1_000n, resetCount: 1, restartCount: 0, safe: true }

/** What the attestation of its hosts left. */
export const platformState: PlatformState = {
  attestationName: '',
  firmwareVersion: String(firmwareVersion),
  clock: '0',
  resetCount: clockInfo.resetCount,
  restartCount: clockInfo.restartCount,
  safe: true,
  reboots: 0,
  pins: {},
  ima: null,
}

export function createBenchTpm(): BenchTpm {
  return {
    attestationKey: createEmulatedKey(attestationTemplate, 'endorsement'),
    storageRoot: createEmulatedKey(storageRootTemplate(), 'owner'),
  }
}

export function encodeBenchTpm({ attestationKey, storageRoot }: BenchTpm): BenchTpmText {
  const [own, root] = [attestationKey, storageRoot].map(({ privateKey }) =>
    privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  )
  return { attestationKey: own ?? '', storageRoot: root ?? '' }
}

export function restoreBenchTpm({ attestationKey, storageRoot }: BenchTpmText): BenchTpm {
  const open = (text: string): KeyObject =>
    createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
  return {
    attestationKey: keyWith(attestationTemplate, 'endorsement', open(attestationKey)),
    storageRoot: keyWith(storageRootTemplate(), 'owner', open(storageRoot)),
  }
}

function keyWith(template: Uint8Array, above: Above, privateKey: KeyObject): EmulatedKey {
  const publicKey = createPublicKey(privateKey)
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const area = parseTpmtPublic(template)
  const point = { x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') }
  return withArea({ ...area, ...point }, above, publicKey, privateKey)
}

/** The body of a renewal that answers a challenge. */
export function renewalBody(
  { attestationKey, storageRoot }: BenchTpm,
  agent: BenchAgent,
  challenge: { readonly id: string; readonly nonce: string; readonly audience: string },
): string {
  const key = keyWith(subjectKeyTemplate(), storageRoot, agent.key.privateKey)
  const csr = certificationRequest(agent.key)
  const extraData = certifyBinding({
    purpose: 'renewal',
    audience: challenge.audience,
    contextId: agent.id,
    nonce: Buffer.from(challenge.nonce, 'base64url'),
    csr,
    subjectName: key.name,
  })
  const attest = encodeTpmsAttest({
    magic: TPM_GENERATED_VALUE,
    qualifiedSigner: attestationKey.qualifiedName,
    extraData,
    clockInfo,
    firmwareVersion,
    attested: { type: TPM_ST_ATTEST.certify, name: key.name, qualifiedName: key.qualifiedName },
  })
  const signature = signAsTpm(attestationKey, attest)
  const subjectKey = {
    public: encodeBase64url(key.public),
    parent: { public: encodeBase64url(storageRoot.public), hierarchy: 'owner' },
    certify: { attest: encodeBase64url(attest), signature: encodeBase64url(signature) },
  }
  const renewal = { challenge: challenge.id, subjectKey }
  return JSON.stringify({ csr: encodeBase64url(csr), renewal })
}
