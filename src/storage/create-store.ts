import type { Store } from '../ports/store.ts'
import {
  createAnchorStore,
  createEnrollmentStore,
  createHostStore,
  createOperatorStore,
} from './admission-stores.ts'
import { createAgentClassStore, createAgentStore, createChallengeStore } from './agent-stores.ts'
import {
  createAttestationStore,
  createEndorsementStore,
  createPolicyStore,
} from './appraisal-stores.ts'
import {
  createAuditStore,
  createCertificateStore,
  createClientStore,
  createTokenStore,
} from './credential-stores.ts'
import { createCertificateStatusStore } from './certificate-status-store.ts'
import { createAuthorityStore } from './authority-store.ts'
import type { Executor } from './executor.ts'
import { createFederationStore } from './federation-store.ts'
import { createGrantRequestStore } from './grant-store.ts'
import { createHsmKeyStore } from './hsm-key-store.ts'
import { createMarkStore } from './mark-store.ts'
import { createRevocationListStore } from './revocation-list-store.ts'
import { createRevocationStore } from './revocation-store.ts'
import { createTokenKeyStore } from './token-key-store.ts'
import { createStatusStore } from './status-store.ts'

/** The whole `Store` over whatever runs its operations. */
export function createStore(db: Executor): Store {
  return {
    anchors: createAnchorStore(db),
    operators: createOperatorStore(db),
    enrollments: createEnrollmentStore(db),
    hosts: createHostStore(db),
    attestations: createAttestationStore(db),
    policies: createPolicyStore(db, 'appraisal'),
    authorizationPolicies: createPolicyStore(db, 'authorization'),
    marks: createMarkStore(db),
    grantRequests: createGrantRequestStore(db),
    endorsements: createEndorsementStore(db),
    hsmKeys: createHsmKeyStore(db),
    revocationLists: createRevocationListStore(db),
    authorities: createAuthorityStore(db),
    tokenKeys: createTokenKeyStore(db),
    federations: createFederationStore(db),
    revocations: createRevocationStore(db),
    statusLists: createStatusStore(db),
    classes: createAgentClassStore(db),
    agents: createAgentStore(db),
    challenges: createChallengeStore(db),
    certificates: createCertificateStore(db),
    certificateStatus: createCertificateStatusStore(db),
    clients: createClientStore(db),
    tokens: createTokenStore(db),
    audit: createAuditStore(db),
    ping: async () => await db.execute('writeHealth'),
    sweep: async now => {
      while (await db.execute('sweepSome', now));
    },
    close: async () => await db.close(),
  }
}
