import { CeremonyError } from '../../core/ceremony/error.ts'
import { verifyAuthorityRequest } from '../../core/ceremony/requested-key.ts'
import { commonName } from '../../core/issuance/assembly.ts'
import { certifyBelow, loadIssuerAbove, type Subject } from './below.ts'
import type { CeremonyContext } from './context.ts'
import { sha256Of, type CeremonyOutcome } from './outcome.ts'
import { readBlock } from './place.ts'
import type { IntermediateScript } from './script.ts'
import { withSubjectKey } from './subject-key.ts'

/** Makes an authority below another one: of a request from where its key lives, or of a key that is at hand. */
export async function holdIntermediate(
  script: IntermediateScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const issuer = await loadIssuerAbove(script, context)
  const certified = async (spki: Uint8Array): Promise<CeremonyOutcome> =>
    named(script, await certifyBelow(script, subjectOf(script, spki, context), issuer, context))
  if (script.key === undefined) return await certified(await loadRequestedKey(script, context))
  return await withSubjectKey(script.key, context, async key => {
    const { facts, outputs } = await certified(key.spki)
    return { facts, outputs: [...key.outputs, ...outputs] }
  })
}

function named(
  { subject }: IntermediateScript,
  { facts, outputs }: CeremonyOutcome,
): CeremonyOutcome {
  return { facts: { subject, ...facts }, outputs }
}

function subjectOf(
  { subject }: IntermediateScript,
  spki: Uint8Array,
  { issuance }: CeremonyContext,
): Subject {
  return { profile: issuance.profiles.intermediate, spki, subject: commonName(subject) }
}

/** Of a request its key counts, which is the one that the file was reviewed for. */
async function loadRequestedKey(
  { request }: IntermediateScript,
  { place }: CeremonyContext,
): Promise<Uint8Array> {
  if (request === undefined) throw new TypeError('a request or a key')
  const bytes = await readBlock(place(request.file), 'CERTIFICATE REQUEST')
  const { spki } = verifyAuthorityRequest(bytes)
  const found = sha256Of(spki)
  if (found === request.keySha256) return spki
  throw new CeremonyError('ceremony-differs', {
    expected: `a request for the key sha256:${request.keySha256}`,
    found: `sha256:${found}`,
  })
}
