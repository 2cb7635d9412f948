import { verifyAuthorityRequest } from '../../core/ceremony/requested-key.ts'
import { commonName } from '../../core/issuance/assembly.ts'
import { createCertificationRequest } from '../../core/issuance/certification-request.ts'
import type { CeremonyContext } from './context.ts'
import { pemOutput, sha256Of, type CeremonyOutcome } from './outcome.ts'
import type { RequestScript } from './script.ts'
import { withSubjectKey } from './subject-key.ts'

/** Makes a request for a certificate of an authority, where its key lives, and reads it as its issuer will. */
export async function holdRequest(
  script: RequestScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const path = context.place(script.request)
  return await withSubjectKey(script.key, context, async key => {
    const facts = { subject: script.subject, keySha256: sha256Of(key.spki) }
    if (context.isCheck) return { facts, outputs: [] }
    const request = await key.use(
      async signer =>
        await createCertificationRequest(commonName(script.subject), key.spki, signer),
    )
    verifyAuthorityRequest(request)
    const outputs = [pemOutput(path, 'CERTIFICATE REQUEST', [request])]
    return { facts: { ...facts, requestSha256: sha256Of(request) }, outputs }
  })
}
