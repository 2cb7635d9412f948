import { encodeNameConstraints } from '../../core/ceremony/name-constraints.ts'
import { certify, type Certified, type Certifying } from './certify.ts'
import type { CeremonyContext } from './context.ts'
import { loadIssuer, type CeremonyIssuer } from './issuer.ts'
import { pemOutput, type CeremonyOutcome } from './outcome.ts'
import { requireAbsent, type CeremonyOutput } from './place.ts'
import type { CrossScript, IntermediateScript } from './script.ts'

/** Whose certificate it is: what differs between the kinds of authority below another one. */
export type Subject = Pick<Certifying, 'profile' | 'spki' | 'subject' | 'subjectKeyIdentifier'>

/**
 * Loads the issuer of an authority below it, where nothing is there that would be overwritten.
 *
 * @throws CeremonyError `ceremony-output`, and as {@link loadIssuer}
 */
export async function loadIssuerAbove(
  { certificate, chain, issuer, trustDomain }: IntermediateScript | CrossScript,
  context: CeremonyContext,
): Promise<CeremonyIssuer> {
  requireAbsent([certificate, ...(chain === undefined ? [] : [chain])].map(context.place))
  return await loadIssuer(issuer, { trustDomain, usage: 'keyCertSign' }, context)
}

/** Certifies an authority below another one. */
export async function certifyBelow(
  script: IntermediateScript | CrossScript,
  subject: Subject,
  issuer: CeremonyIssuer,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const request = {
    ...subject,
    issuer: issuer.certificate.fields.encoded,
    signatureAlgorithm: issuer.algorithm,
    trustDomain: script.trustDomain,
    pathLength: script.pathLength,
    nameConstraints: script.permitted && encodeNameConstraints(script.permitted),
    crlUrl: script.crlUrl,
    notBefore: script.notBefore,
    notAfter: script.notAfter,
  }
  const certified = await certify(request, issuer, context)
  const { fingerprint } = issuer.certificate
  return {
    facts: { issuerSha256: fingerprint, ...certified.facts },
    outputs: outputsOf(script, certified, issuer, context),
  }
}

function outputsOf(
  { certificate: path, chain }: IntermediateScript | CrossScript,
  { certificate }: Certified,
  issuer: CeremonyIssuer,
  { place }: CeremonyContext,
): CeremonyOutput[] {
  if (certificate === undefined) return []
  const whole = [certificate, ...issuer.chain]
  return [
    pemOutput(place(path), 'CERTIFICATE', [certificate]),
    ...(chain === undefined ? [] : [pemOutput(place(chain), 'CERTIFICATE', whole)]),
  ]
}
