import type { Transaction } from '../transaction.ts'
import {
  addAnchor,
  approveAnchors,
  listActiveAnchors,
  listAnchors,
  proposeAnchors,
  retireAnchor,
} from './anchors.ts'
import { createAgentClass, findAgentClass, listAgentClasses } from './agent-classes.ts'
import { bindAgentKey, createAgent, findAgent, listAgents } from './agents.ts'
import { findAttestation, listAttestations } from './attestations.ts'
import { logOperations, type LogOperations } from './audit.ts'
import {
  destroyAuthorityKey,
  activateAuthority,
  adoptAuthority,
  prepareAuthority,
  readAuthorities,
  revokeAuthority,
  taintAuthority,
} from './authorities.ts'
import { listAdoptions, publishKeys, recordAdoption } from './bundle.ts'
import {
  draftCertificateList,
  publishCertificateList,
  findCertificateList,
  listCertificateLists,
  listDueCertificateLists,
} from './certificate-lists.ts'
import {
  abandonCertificate,
  closeOrphans,
  findCertificate,
  findCertificatesBySerial,
  findRenewal,
  listCertificates,
  intendCertificate,
  issueCertificate,
} from './certificates.ts'
import { createChallenge, findChallenge, refuseChallenge, takeChallenge } from './challenges.ts'
import { act, findClientByKey } from './clients.ts'
import {
  decideEndorsement,
  enqueueEndorsement,
  findEndorsement,
  listEndorsements,
} from './endorsements.ts'
import {
  createEnrollment,
  isEnrollmentOpen,
  refuseEnrollment,
  takeEnrollment,
} from './enrollments.ts'
import {
  addFederation,
  findFederation,
  keepFederatedBundle,
  keepFederationFailure,
  listFederations,
  removeFederation,
} from './federations.ts'
import {
  decideGrantRequest,
  findGrantRequest,
  findOpenGrantRequest,
  listGrantRequests,
  withdrawGrantRequest,
} from './grant-requests.ts'
import {
  admitHost,
  findHost,
  findHostByEndorsement,
  findHostByName,
  listHosts,
  markHostRestarted,
} from './hosts.ts'
import { addHsmKey, listHsmKeys, retireHsmKey } from './hsm-keys.ts'
import { clearRiskScore, loadMarks, setHostLabels, setRiskScore } from './marks.ts'
import { addOperator, listOperators } from './operators.ts'
import {
  activatePolicy,
  addPolicy,
  findActivePolicy,
  findPolicy,
  listPolicies,
  listPolicyActivations,
} from './policies.ts'
import { readRevocationEvents } from './revocation-events.ts'
import { previewRevocation, revoke } from './revocations.ts'
import {
  findStatusVersion,
  listStatusLists,
  openStatusList,
  readStatusList,
} from './status-lists.ts'
import {
  currentRevocationLists,
  listRevocationLists,
  putRevocationList,
} from './revocation-lists.ts'
import { tokenKeyOperations, type TokenKeyOperations } from './token-keys.ts'
import { isTokenRevoked, revokeToken } from './revoked-tokens.ts'
import { sweepSome, writeHealth } from './upkeep.ts'

/** Every operation by the name under which it crosses a thread. Arguments and answers are plain rows and values. */
export interface Operations extends TokenKeyOperations, LogOperations {
  readonly openStatusList: typeof openStatusList
  readonly readStatusList: typeof readStatusList
  readonly findStatusVersion: typeof findStatusVersion
  readonly listStatusLists: typeof listStatusLists
  readonly revoke: typeof revoke
  readonly previewRevocation: typeof previewRevocation
  readonly readRevocationEvents: typeof readRevocationEvents
  readonly addAnchor: typeof addAnchor
  readonly listAnchors: typeof listAnchors
  readonly listActiveAnchors: typeof listActiveAnchors
  readonly proposeAnchors: typeof proposeAnchors
  readonly approveAnchors: typeof approveAnchors
  readonly retireAnchor: typeof retireAnchor
  readonly addOperator: typeof addOperator
  readonly listOperators: typeof listOperators
  readonly createEnrollment: typeof createEnrollment
  readonly isEnrollmentOpen: typeof isEnrollmentOpen
  readonly takeEnrollment: typeof takeEnrollment
  readonly refuseEnrollment: typeof refuseEnrollment
  readonly findHost: typeof findHost
  readonly findHostByEndorsement: typeof findHostByEndorsement
  readonly findHostByName: typeof findHostByName
  readonly markHostRestarted: typeof markHostRestarted
  readonly listHosts: typeof listHosts
  readonly admitHost: typeof admitHost
  readonly findAttestation: typeof findAttestation
  readonly listAttestations: typeof listAttestations
  readonly addPolicy: typeof addPolicy
  readonly findPolicy: typeof findPolicy
  readonly listPolicies: typeof listPolicies
  readonly findActivePolicy: typeof findActivePolicy
  readonly activatePolicy: typeof activatePolicy
  readonly listPolicyActivations: typeof listPolicyActivations
  readonly setHostLabels: typeof setHostLabels
  readonly setRiskScore: typeof setRiskScore
  readonly clearRiskScore: typeof clearRiskScore
  readonly loadMarks: typeof loadMarks
  readonly findGrantRequest: typeof findGrantRequest
  readonly findOpenGrantRequest: typeof findOpenGrantRequest
  readonly listGrantRequests: typeof listGrantRequests
  readonly decideGrantRequest: typeof decideGrantRequest
  readonly withdrawGrantRequest: typeof withdrawGrantRequest
  readonly findEndorsement: typeof findEndorsement
  readonly listEndorsements: typeof listEndorsements
  readonly enqueueEndorsement: typeof enqueueEndorsement
  readonly decideEndorsement: typeof decideEndorsement
  readonly addHsmKey: typeof addHsmKey
  readonly listHsmKeys: typeof listHsmKeys
  readonly retireHsmKey: typeof retireHsmKey
  readonly putRevocationList: typeof putRevocationList
  readonly listRevocationLists: typeof listRevocationLists
  readonly currentRevocationLists: typeof currentRevocationLists
  readonly readAuthorities: typeof readAuthorities
  readonly adoptAuthority: typeof adoptAuthority
  readonly prepareAuthority: typeof prepareAuthority
  readonly activateAuthority: typeof activateAuthority
  readonly destroyAuthorityKey: typeof destroyAuthorityKey
  readonly taintAuthority: typeof taintAuthority
  readonly revokeAuthority: typeof revokeAuthority
  readonly recordAdoption: typeof recordAdoption
  readonly listAdoptions: typeof listAdoptions
  readonly publishKeys: typeof publishKeys
  readonly addFederation: typeof addFederation
  readonly listFederations: typeof listFederations
  readonly findFederation: typeof findFederation
  readonly removeFederation: typeof removeFederation
  readonly keepFederatedBundle: typeof keepFederatedBundle
  readonly keepFederationFailure: typeof keepFederationFailure
  readonly createAgentClass: typeof createAgentClass
  readonly findAgentClass: typeof findAgentClass
  readonly listAgentClasses: typeof listAgentClasses
  readonly createAgent: typeof createAgent
  readonly findAgent: typeof findAgent
  readonly listAgents: typeof listAgents
  readonly createChallenge: typeof createChallenge
  readonly findChallenge: typeof findChallenge
  readonly takeChallenge: typeof takeChallenge
  readonly refuseChallenge: typeof refuseChallenge
  readonly bindAgentKey: typeof bindAgentKey
  readonly intendCertificate: typeof intendCertificate
  readonly issueCertificate: typeof issueCertificate
  readonly findCertificate: typeof findCertificate
  readonly abandonCertificate: typeof abandonCertificate
  readonly findRenewal: typeof findRenewal
  readonly closeOrphans: typeof closeOrphans
  readonly draftCertificateList: typeof draftCertificateList
  readonly publishCertificateList: typeof publishCertificateList
  readonly findCertificateList: typeof findCertificateList
  readonly listCertificateLists: typeof listCertificateLists
  readonly listDueCertificateLists: typeof listDueCertificateLists
  readonly findCertificatesBySerial: typeof findCertificatesBySerial
  readonly listCertificates: typeof listCertificates
  readonly findClientByKey: typeof findClientByKey
  readonly act: typeof act
  readonly revokeToken: typeof revokeToken
  readonly isTokenRevoked: typeof isTokenRevoked
  readonly writeHealth: typeof writeHealth
  readonly sweepSome: typeof sweepSome
}

export type OperationName = keyof Operations

/** What a caller gives an operation: all but its transaction. */
export type OperationArguments<Name extends OperationName> =
  Parameters<Operations[Name]> extends [Transaction, ...infer Rest] ? Rest : never

/** What an operation answers. */
export type OperationAnswer<Name extends OperationName> = Awaited<ReturnType<Operations[Name]>>

export const operations: Operations = {
  openStatusList,
  readStatusList,
  findStatusVersion,
  listStatusLists,
  revoke,
  previewRevocation,
  readRevocationEvents,
  addAnchor,
  listAnchors,
  listActiveAnchors,
  proposeAnchors,
  approveAnchors,
  retireAnchor,
  addOperator,
  listOperators,
  createEnrollment,
  isEnrollmentOpen,
  takeEnrollment,
  refuseEnrollment,
  findHost,
  findHostByEndorsement,
  findHostByName,
  markHostRestarted,
  listHosts,
  admitHost,
  findAttestation,
  listAttestations,
  addPolicy,
  findPolicy,
  listPolicies,
  findActivePolicy,
  activatePolicy,
  listPolicyActivations,
  setHostLabels,
  setRiskScore,
  clearRiskScore,
  loadMarks,
  findGrantRequest,
  findOpenGrantRequest,
  listGrantRequests,
  decideGrantRequest,
  withdrawGrantRequest,
  findEndorsement,
  listEndorsements,
  enqueueEndorsement,
  decideEndorsement,
  addHsmKey,
  listHsmKeys,
  retireHsmKey,
  putRevocationList,
  listRevocationLists,
  currentRevocationLists,
  readAuthorities,
  adoptAuthority,
  prepareAuthority,
  activateAuthority,
  destroyAuthorityKey,
  taintAuthority,
  revokeAuthority,
  recordAdoption,
  listAdoptions,
  publishKeys,
  ...tokenKeyOperations,
  ...logOperations,
  addFederation,
  listFederations,
  findFederation,
  removeFederation,
  keepFederatedBundle,
  keepFederationFailure,
  createAgentClass,
  findAgentClass,
  listAgentClasses,
  createAgent,
  findAgent,
  listAgents,
  createChallenge,
  findChallenge,
  takeChallenge,
  refuseChallenge,
  bindAgentKey,
  intendCertificate,
  issueCertificate,
  findCertificate,
  abandonCertificate,
  findRenewal,
  closeOrphans,
  draftCertificateList,
  publishCertificateList,
  findCertificateList,
  listCertificateLists,
  listDueCertificateLists,
  findCertificatesBySerial,
  listCertificates,
  findClientByKey,
  act,
  revokeToken,
  isTokenRevoked,
  writeHealth,
  sweepSome,
}
