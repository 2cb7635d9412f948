import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnchorLabels, TrustAnchor } from '../../src/core/verifier/trust-anchor.ts'
import { parseTrustAnchor } from '../../src/core/verifier/trust-anchor.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'

/** DER of a file that is DER already or the first certificate of a PEM file. */
export function derOf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1')
  const pem = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(text)?.[1]
  return pem === undefined ? bytes : Buffer.from(pem, 'base64')
}

/** Vendor ids by how the files of the folder `anchors` begin (TCG Vendor ID Registry v1.06). */
const vendors: readonly (readonly [RegExp, string])[] = [
  [/^(?:NUVO|NTC)/, 'id:4E544300'],
  [/^INTEL/, 'id:494E5443'],
  [/^(?:STM|GS_TPM)/, 'id:53544D20'],
  [/^(?:gcp|tpm_ek)/, 'id:474F4F47'],
  [/^(?:IFX|INF)/, 'id:49465800'],
  [/^Nationz/, 'id:4E53120A'],
  [/^Alibaba/, 'id:414C4942'],
]

/** How an operator would label a root of this file. */
export function labelsFor(file: string): AnchorLabels {
  const vendor = vendors.find(([pattern]) => pattern.test(file))?.[1] ?? 'id:00000000'
  return { name: file, vendor, assurance: 'tpm-discrete' }
}

/** The certificates beside a vector: those that are roots as anchors, the others as hints. */
export interface CertificateStore {
  readonly anchors: readonly TrustAnchor[]
  readonly intermediates: readonly Uint8Array[]
}

const stores = new Map<string, CertificateStore>()

/** Reads the folder `anchors` of the vectors once. */
export function loadCertificateStore(folder: string, now: Date): CertificateStore {
  const known = stores.get(folder)
  if (known !== undefined) return known
  const directory = join(folder, 'anchors')
  const files = readdirSync(directory).map(
    file => [file, derOf(readFileSync(join(directory, file)))] as const,
  )
  const isRoot = (bytes: Uint8Array): boolean => parseCertificate(bytes).isSelfIssued
  const store = {
    anchors: files
      .filter(([, bytes]) => isRoot(bytes))
      .map(([file, bytes]) => parseTrustAnchor(bytes, labelsFor(file), now)),
    intermediates: files.filter(([, bytes]) => !isRoot(bytes)).map(([, bytes]) => bytes),
  }
  stores.set(folder, store)
  return store
}
