import { commonName } from '../../core/issuance/assembly.ts'
import { certify } from './certify.ts'
import type { CeremonyContext } from './context.ts'
import { pemOutput, type CeremonyOutcome } from './outcome.ts'
import type { RootScript } from './script.ts'
import { withSubjectKey } from './subject-key.ts'

/** Makes the self-signed root of a trust domain, and its key where that is asked for. */
export async function holdRoot(
  script: RootScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const certificatePath = context.place(script.certificate)
  return await withSubjectKey(script.key, context, async key => {
    const request = {
      profile: context.issuance.profiles.root,
      issuer: undefined,
      signatureAlgorithm: key.algorithm,
      spki: key.spki,
      subject: commonName(script.subject),
      trustDomain: script.trustDomain,
      pathLength: script.pathLength,
      notBefore: script.notBefore,
      notAfter: script.notAfter,
    }
    const issuer = { spki: key.spki, sign: key.use }
    const { certificate, facts } = await certify(request, issuer, context)
    const made =
      certificate === undefined ? [] : [pemOutput(certificatePath, 'CERTIFICATE', [certificate])]
    return { facts: { subject: script.subject, ...facts }, outputs: made }
  })
}
