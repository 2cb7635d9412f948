import type { AuthorityRecord, BundleAdoption } from '../ports/authority.ts'
import type { Authorities } from './authorities.ts'
import { pem } from './view.ts'

/** An authority as the API shows it: certificates in PEM, and of its key only in what. */
export function authorityView(authority: AuthorityRecord): Record<string, unknown> {
  const { chain, keyReference, ...shown } = authority
  const keyPlace = keyReference.startsWith('pkcs11:') ? 'pkcs11' : 'embedded'
  return { ...shown, keyPlace, certificateChain: chain.map(pem) }
}

/** Where the turnover stands: who issues, what comes next, and who does not know it yet. */
export function rotationView(
  authorities: Authorities,
  adoptions: readonly BundleAdoption[],
): Record<string, unknown> {
  return {
    bundleSequence: authorities.bundleSequence,
    authorities: authorities.records.map(record => ({
      ...authorityView(record),
      adoption: adoptionOf(record, adoptions),
    })),
    hosts: adoptions,
  }
}

function adoptionOf(
  { bundleSequence }: AuthorityRecord,
  adoptions: readonly BundleAdoption[],
): { hosts: number; adopted: number; missing: string[] } {
  const missing = adoptions.filter(({ sequence }) => sequence < bundleSequence)
  return {
    hosts: adoptions.length,
    adopted: adoptions.length - missing.length,
    missing: missing.map(({ name }) => name),
  }
}
