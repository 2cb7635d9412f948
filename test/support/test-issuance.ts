import { createThrowawaySigners } from '../../src/hsm/throwaway-key.ts'
import { loadAuthorityProfiles, loadCertificateProfiles } from '../../src/shipped-tables.ts'
import type { AuthorityIssuance } from '../../src/core/issuance/ceremony.ts'
import type { Issuance } from '../../src/services/service.ts'

/** The profiles of `ca/profiles`, and throwaway keys of this test's process. */
export const testIssuance: Issuance = {
  profiles: loadCertificateProfiles(),
  throwaway: createThrowawaySigners(),
}

/** The same for authorities. */
export const testAuthorityIssuance: AuthorityIssuance = {
  profiles: loadAuthorityProfiles(),
  throwaway: testIssuance.throwaway,
}
