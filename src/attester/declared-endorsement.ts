import type { Tpm } from '../../native/index.ts'
import { encodeTpmtPublic, parseTpmtPublic } from '../core/tpm/public.ts'
import { endorsementTemplates, type EndorsementTemplate } from '../core/tpm/templates.ts'
import { verifyDeclaredEndorsementKey } from '../core/verifier/endorsement-key.ts'
import type { Endorsement, EndorsementOptions } from './endorsement.ts'
import { createPrimaryKey } from './primary-key.ts'

/** The one that every TPM can make, and that makers publish lists of. */
const usualTemplate: EndorsementTemplate['name'] = 'L-1'

/**
 * Makes the endorsement key of a TPM that holds no certificate for it. On whose word it is one is for an operator of
 * the service to say, by its digest.
 *
 * @throws AttesterError `endorsement-authorization`; Tpm2Error
 * @see TCG EK Credential Profile v2.5 Annex B; verification T3, VT4
 */
export async function openDeclaredEndorsement(
  tpm: Tpm,
  { auth, template = usualTemplate }: EndorsementOptions = {},
): Promise<Endorsement> {
  const row = endorsementTemplates.find(({ name }) => name === template)
  if (row === undefined) throw new TypeError(`no endorsement template ${template}`)
  const created = await createPrimaryKey(tpm, 'endorsement', encodeTpmtPublic(row.public), { auth })
  return {
    handle: created.handle,
    template,
    area: parseTpmtPublic(created.public),
    public: created.public,
    certificate: undefined,
    chain: [],
    notes: [],
  }
}

/**
 * What an operator of the service compares before approving an endorsement key: the hex SHA-256 of the key as
 * SubjectPublicKeyInfo, computed here, on the machine itself.
 *
 * @throws EvidenceError for a key that no service takes
 */
export function endorsementDigest({ public: area }: Pick<Endorsement, 'public'>): string {
  return verifyDeclaredEndorsementKey({ public: area }).spkiSha256
}
