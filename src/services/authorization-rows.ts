import type { ErrorRow } from '../core/coded-error.ts'

/** What policies do not permit, and what operators say to that. */
export const authorizationRows = {
  'authorization-denied': {
    summary: 'The authorization policies do not permit this.',
    hint: 'Have an operator read the decision named here with `assay policy explain`.',
    source: 'RFC 6749 §4.1.2.1',
  },
  'authorization-requestable': {
    summary: 'The authorization policies do not permit this without an operator’s approval.',
    hint: 'Have an operator who is not the owner read the grant request named here and approve it (`assay grant show`, `assay grant approve`), then ask for exactly the same again.',
    source: 'RFC 6749 §4.1.2.1',
  },
  'authorization-declined': {
    summary: 'An operator declined to approve this.',
    hint: 'Ask the operators why: `assay grant show` has their reason. The same can be asked for again once the time of the request is over.',
    source: 'RFC 6749 §4.1.2.1',
  },
  'authorization-requests-full': {
    summary:
      'This needs an operator’s approval, and as many requests of this agent wait for one as may.',
    hint: 'Have an operator decide on those that wait (`assay grant list`), then ask again.',
    source: 'RFC 6749 §4.1.2.1',
  },
  'authorization-approval-over': {
    summary:
      'The approval of this request does not count any more: it was used, taken back, or its time is over.',
    hint: 'Ask for the same again, and have an operator approve it again.',
    source: 'RFC 6749 §4.1.2.1',
  },
  'authorization-failed': {
    summary: 'The authorization policies could not be evaluated, so nothing is permitted.',
    hint: 'Have an operator read the decision in the audit log, and mend the policy that failed.',
  },
  'authorization-lockout': {
    summary: 'Under these policies the operator who activates them could not activate others.',
    hint: 'Permit actAsOperator and issueToken to those who keep the policies; or have one of those activate it.',
  },
  'grant-unknown': {
    summary: 'There is no such grant request, or it is long over.',
    hint: 'See them with `assay grant list`; the audit log keeps all of them.',
  },
  'grant-own': {
    summary: 'Whoever answers for an agent does not approve what it asks for.',
    hint: 'Have another operator look at the request and approve it.',
  },
  'grant-decided': {
    summary: 'This grant request is not one that can be decided on so any more.',
    hint: 'See with `assay grant show` what became of it.',
  },
  'grant-expired': {
    summary: 'The time of this grant request is over.',
    hint: 'Have the agent ask for the same again; that opens another request.',
  },
  'grant-minutes': {
    summary: 'The policies do not let an approval count so long.',
    hint: 'Approve it once, or for as many minutes as are named above.',
  },
} as const satisfies Record<string, ErrorRow>
