import type { ErrorRow } from '../core/coded-error.ts'

/** What is asked for by a name that nothing has. */
export const absentRows = {
  'anchor-unknown': {
    summary: 'There is no such trust anchor.',
    hint: 'See them with `assay anchor list --all`.',
  },
  'status-list-unknown': {
    summary: 'There is no such status list, or every token in it has expired.',
    hint: 'See those in their time at /v1/status-lists.',
    source: 'draft-ietf-oauth-status-list-21 §8',
  },
  'serial-unknown': {
    summary: 'This service issued no certificate of this serial number.',
    hint: 'Give the serial number in lower-case hexadecimal, as the certificate has it.',
  },
  'enrollment-unknown': {
    summary: 'There is no such enrolment.',
    hint: 'Begin again; an enrolment is forgotten once its time is over.',
  },
  'hsm-key-unknown': {
    summary: 'There is no such attestation key.',
    hint: 'See them with `assay hsm-key list`.',
  },
  'challenge-unknown': {
    summary: 'There is no such challenge for this subject.',
    hint: 'Ask for a challenge and answer that one.',
  },
  'attestation-unknown': {
    summary: 'There is no such attestation, or it is no longer kept.',
    hint: 'See what is kept with `assay host explain`.',
  },
  'endorsement-unknown': {
    summary: 'There is no such endorsement key.',
    hint: 'See those that wait with `assay endorsement list`.',
  },
  'policy-unknown': {
    summary: 'There is no such version of the policy.',
    hint: 'See the versions with `assay policy list`.',
  },
  'risk-unknown': {
    summary: 'There is no such risk score.',
    hint: 'See them with `assay risk list`.',
  },
  'authority-unknown': {
    summary: 'There is no such authority.',
    hint: 'See them with `assay ca show`.',
  },
  'host-unknown': {
    summary: 'There is no such host.',
    hint: 'See the hosts with `assay host list`.',
  },
  'agent-unknown': {
    summary: 'There is no such agent.',
    hint: 'See the agents with `assay agent list`.',
  },
  'class-unknown': {
    summary: 'There is no such agent class.',
    hint: 'Have an operator register it with `assay class register`.',
  },
  'certificate-unknown': {
    summary:
      'The client certificate of this connection is not one that this service issued and still holds valid.',
    hint: 'Renew the certificate, or use a DPoP-bound token.',
    source: 'RFC 8705 §2.1',
  },
  'crl-unknown': {
    summary: 'There is no such revocation list.',
    hint: 'See the lists with `assay crl list`; a new authority has its first ones within seconds.',
    source: 'RFC 5280 §5',
  },
} as const satisfies Record<string, ErrorRow>
