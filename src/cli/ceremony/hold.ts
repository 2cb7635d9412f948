import { holdCrl } from './crl.ts'
import type { CeremonyContext } from './context.ts'
import { holdCrossCertificate } from './cross-certificate.ts'
import { holdIntermediate } from './intermediate.ts'
import { writeOutputs, type CeremonyOutcome } from './outcome.ts'
import { outputPathsOf } from './output-paths.ts'
import { requireRoom } from './place.ts'
import { holdRequest } from './request.ts'
import { holdRoot } from './root.ts'
import type { CeremonyScript } from './script.ts'

/**
 * Does what a ceremony file says: there is room for what it leaves behind, everything is read, linted and, unless this
 * is a rehearsal, signed before the first file is written.
 *
 * @throws CeremonyError, LintError, CrlLintError, CertificationRequestError, X509Error, CommandError `file-unreadable`;
 *   of keys, Pkcs11Error, PrivateFileError, KeyPassphraseError
 */
export async function holdCeremony(
  script: CeremonyScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  await requireRoom(outputPathsOf(script).map(context.place))
  // What the lints refuse must not leave a new key behind in a token.
  if (makesKey(script)) await perform(script, { ...context, isCheck: true })
  const outcome = await perform(script, context)
  if (!context.isCheck) await writeOutputs(outcome)
  return outcome
}

function makesKey(script: CeremonyScript): boolean {
  return 'key' in script && script.key?.make !== undefined
}

async function perform(script: CeremonyScript, context: CeremonyContext): Promise<CeremonyOutcome> {
  switch (script.ceremony) {
    case 'root':
      return await holdRoot(script, context)
    case 'request':
      return await holdRequest(script, context)
    case 'intermediate':
      return await holdIntermediate(script, context)
    case 'cross-certificate':
      return await holdCrossCertificate(script, context)
    default:
      return await holdCrl(script, context)
  }
}
