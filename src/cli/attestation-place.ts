import type { AttestationPlace } from '../attester/client-attestation.ts'
import type { Home } from '../attester/home.ts'
import type { Session } from './session.ts'

/** Keeps a client attestation in a private file of the home; what stands against the combined mode is said on stderr. */
export function attestationPlace(session: Session, home: Home, file: string): AttestationPlace {
  return {
    load: async () => await home.readIfThere(file),
    save: async attestation => await home.writeText(file, attestation),
    onProofAlone: reason => session.warn([reason]),
  }
}
