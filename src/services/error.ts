import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'
import { absentRows } from './absent-rows.ts'
import { authorizationRows } from './authorization-rows.ts'

const rows = {
  ...absentRows,
  ...authorizationRows,
  'request-malformed': {
    summary: 'The request does not have the form that this call takes.',
    hint: 'Correct the member named above; the OpenAPI document at /openapi.json has each form.',
  },
  'anchor-exists': {
    summary: 'This certificate is a trust anchor already.',
    hint: 'See it with `assay anchor list`.',
  },
  'anchor-active': {
    summary: 'This trust anchor is in force already.',
    hint: 'Leave it out of the approval.',
  },
  'anchor-retired': {
    summary: 'This trust anchor is retired.',
    hint: 'Approve it again if it is to be in force.',
  },
  'anchor-revoked': {
    summary: 'A manufacturer’s certificate in the path of this endorsement key is revoked.',
    hint: 'Ask the operator why. What it vouched for does not enrol, nor does it become an anchor again.',
  },
  'endorsement-revoked': {
    summary: 'This endorsement key is revoked.',
    hint: 'Ask the operator why. This TPM does not enrol, under whatever name.',
  },
  'firmware-revoked': {
    summary: 'The firmware of this TPM is in a range that is revoked.',
    hint: 'Bring firmware outside the range onto the TPM before it enrols for the first time.',
  },
  'class-revoked': {
    summary: 'This class of agents is revoked, and all its agents with it.',
    hint: 'Have an operator register a class under another name.',
  },
  'events-crowded': {
    summary:
      'As many callers listen to revocations as the service serves, or you hold as many streams as one may.',
    hint: 'Close what is not read, come again later, or read the status lists.',
    source: 'RFC 9110 §15.6.4',
  },
  'revocation-list-older': {
    summary: 'A newer word of this issuer is kept already.',
    hint: 'See it with `assay anchor crl list`.',
    source: 'RFC 5280 §5.2.3',
  },
  'hsm-key-exists': {
    summary: 'This attestation key is registered already, or was.',
    hint: 'See it with `assay hsm-key list`; make a new key where it was retired.',
  },
  'hsm-key-retired': {
    summary: 'This attestation key is retired.',
    hint: 'Make a new key in the token and register that.',
  },
  'hsm-level-closed': {
    summary: 'The appraisal policy in force admits no keys of HSMs at this level.',
    hint: 'Ask the operator which levels are open, or have the policy name this one.',
    source: 'RFC 9334 §8.5',
  },
  'hsm-token-unavailable': {
    summary: 'The service has no session on this token now, so it cannot look at its keys.',
    hint: 'Have the operator add the token under inspection.pkcs11 and see that it can be reached; then begin again.',
    source: 'verification section 14',
  },
  'hsm-key-absent': {
    summary: 'The service finds no key of this request in the token.',
    hint: 'See that host and service are on the same token, and that the public key lies beside the private one.',
    source: 'verification section 14, H1',
  },
  'challenge-used': {
    summary:
      'This challenge was answered before; a challenge counts once, whether the answer was right or not.',
    hint: 'Begin again with a new challenge. If you did not answer it, somebody else did: look at the audit log.',
    source: 'RFC 9334 §10.2',
  },
  'challenge-expired': {
    summary: 'The time to answer this challenge is over.',
    hint: 'Begin again; if the TPM is slow, have the operator raise attestation.challengeSeconds.',
    source: 'RFC 9334 §10.2',
  },
  'attestation-contraindicated': {
    summary: 'The evidence is genuine, and the appraisal policy does not accept what it shows.',
    hint: 'Read the rule that decided; the operator changes the policy or you change the machine.',
    source: 'RFC 9334 §8.4',
  },
  'attestation-superseded': {
    summary: 'This host attested again while this answer was under way; one of the two counts.',
    hint: 'Begin again. If you did not start two, somebody else attests with this TPM: look at the audit log.',
    source: 'RFC 9334 §10.2',
  },
  'attestation-rollback': {
    summary: 'The TPM shows an earlier state than it showed before; the host is revoked.',
    hint: 'Find out whether the TPM was cleared, a virtual machine restored or cloned, or firmware set back. This TPM does not enrol again.',
    source: 'TPM 2.0 Part 1 r01.59 §36; verification Q8, VT5',
  },
  'attestation-unsigned': {
    summary:
      'This verdict has no signed form: the signing key did not answer when the host was refused.',
    hint: 'Read it as JSON; it stands in the audit log with its digest.',
  },
  'host-name-in-use': {
    summary: 'Another TPM holds this name.',
    hint: 'Choose another name, or revoke the host that has it: a name does not pass from one TPM to another by itself.',
    source: 'verification X1 (CVE-2025-13609)',
  },
  'endorsement-pending': {
    summary: 'This TPM has no endorsement key certificate and waits for an operator.',
    hint: 'Have an operator compare the digest that the machine shows and approve it, then begin again.',
    source: 'RFC 9334 §8.2',
  },
  'endorsement-refused': {
    summary: 'An operator has refused this endorsement key.',
    hint: 'Ask the operator why.',
    source: 'RFC 9334 §8.2',
  },
  'endorsement-queue-full': {
    summary: 'More endorsement keys without certificate wait than are kept.',
    hint: 'Have an operator decide on those that wait, or list this one before.',
  },
  'endorsement-differs': {
    summary: 'The digest is not that of the endorsement key that waits.',
    hint: 'Read the digest at the machine itself; if it still differs, the request came from elsewhere.',
    source: 'verification X1',
  },
  'policy-empty': {
    summary: 'The appraisal policy in force admits nobody: it says nothing.',
    hint: 'Activate a policy that names assurance levels and has a rule.',
    source: 'RFC 9334 §8.5',
  },
  'policy-conflict': {
    summary: 'Somebody else changed the policies at the same time.',
    hint: 'Read them again and repeat what still makes sense.',
  },
  'policy-emulated': {
    summary:
      'The policy accepts emulated hardware, and the configuration of this service does not.',
    hint: 'Write `emulated` into attestation.assurance of the configuration; only for tests.',
    source: 'verification VT1',
  },
  'attestation-expired': {
    summary: 'The Attestation Result of the host is too old to rest a credential on.',
    hint: 'Run `assay host enroll` on the host again; the same TPM keeps its record.',
    source: 'RFC 9334 §10',
  },
  'authority-expired': {
    summary:
      'The issuing authority has come to its end, so nothing that it signed would be accepted.',
    hint: 'Have the operator renew the issuing certificate.',
    source: 'RFC 5280 §6.1.3',
  },
  'token-key-absent': {
    summary: 'No key of this service signs tokens at present.',
    hint: 'Have the operator look at the key with `assay key list` and at the log of the service.',
  },
  'token-key-unknown': {
    summary: 'There is no such key among those that sign tokens.',
    hint: 'List the keys with `assay key list`.',
  },
  'token-key-state': {
    summary: 'This key is out already: nothing that it signed is accepted.',
    hint: 'Nothing is left to do; list the keys with `assay key list`.',
  },
  'token-key-conflict': {
    summary: 'A next key is announced already, or another key signs than was named.',
    hint: 'Look with `assay key list`: wait until the announced key signs, or hasten it with --force.',
  },
  'authority-absent': {
    summary: 'No authority of this service issues at present.',
    hint: 'Prepare and activate one: `assay ca rotate prepare`, `assay ca rotate activate`.',
  },
  'authority-inactive': {
    summary: 'The issuing authority changed while this was under way; nothing was signed.',
    hint: 'Repeat the request; it goes to the authority that issues now.',
  },
  'authority-state': {
    summary: 'An authority in this state does not take that step.',
    hint: 'See the states with `assay ca show`: prepared, then active, then retired, tainted, revoked. One that issues is replaced or tainted before it is revoked.',
  },
  'authority-key-needed': {
    summary:
      'Certificates below this authority are in force, and its key tells which of them are not.',
    hint: 'Wait until they have ended, or force it with a reason: nothing can be revoked below it any more.',
    source: 'RFC 5280 §6.3.3',
  },
  'authority-conflict': {
    summary: 'Another authority was activated at the same time; one of the two counts.',
    hint: 'See which issues now with `assay ca show`, and repeat what still makes sense.',
  },
  'bundle-not-adopted': {
    summary: 'Active hosts do not keep the trust bundle with this authority yet.',
    hint: 'Wait until `assay ca show` says that all have it. A host that is gone is to be revoked; --force with a reason cuts off those that are missing.',
    source: 'SPIFFE Trust Domain and Bundle §4.1.2',
  },
  'bundle-sequence': {
    summary: 'There is no trust bundle of this sequence.',
    hint: 'Fetch the bundle and name the sequence that it has.',
    source: 'SPIFFE Trust Domain and Bundle §4.1.1',
  },
  'host-revoked': {
    summary: 'This host is revoked, and all its agents with it.',
    hint: 'Ask the operator why. A revoked TPM does not enrol again, under whatever name.',
  },
  'agent-revoked': {
    summary: 'This agent is revoked.',
    hint: 'Create a new agent; an identity that was taken back is not given again.',
  },
  'agent-not-here': {
    summary: 'This agent belongs to another host.',
    hint: 'Prove its key on the host that created it.',
  },
  'class-exists': {
    summary: 'There is an agent class of this name.',
    hint: 'Choose another name.',
  },
  'class-not-on-host': {
    summary: 'This host may not run agents of that class.',
    hint: 'Have an operator register a class that names this host.',
  },
  'key-superseded': {
    summary: 'This key was replaced by a newer one of the same client.',
    hint: 'Use the key that was proven last.',
  },
  'operator-revoked': {
    summary: 'This operator is revoked.',
    hint: 'Have another operator register a new key.',
  },
  'operator-unknown': { summary: 'There is no such operator.', hint: 'See `assay operator list`.' },
  'key-in-use': {
    summary: 'This key speaks for somebody else already.',
    hint: 'Create a key of its own for each identity.',
  },
  'subject-key-algorithm': {
    summary: 'A key of this kind cannot sign tokens and requests here.',
    hint: 'Create a signing key on P-256 or P-384.',
    source: 'RFC 7518 §3.4',
  },
  'renewal-key-differs': {
    summary: 'The certificate request is for another key than the one that the hardware proved.',
    hint: 'Renew for the same key, or ask for a challenge and prove the new key.',
  },
  'certificate-id-malformed': {
    summary: 'This does not identify a certificate.',
    hint: 'Write keyIdentifier and serial number in base64url with a dot between.',
    source: 'RFC 9773 §4.1',
  },
  'renewal-unproven': {
    summary: 'The renewal brings no proof that the hardware still holds the key.',
    hint: 'Ask for a challenge at the renewal-challenge of the host or agent, and send its answer as `renewal`.',
    source: 'RFC 9334 §10',
  },
  'renewal-certificate-unknown': {
    summary: 'The certificate that is to be replaced is none of the caller’s for this key.',
    hint: 'Name the one that you hold, or leave `replaces` out.',
    source: 'RFC 9773 §5',
  },
  'renewal-certificate-revoked': {
    summary: 'The certificate that is to be replaced was revoked since its key is compromised.',
    hint: 'Ask the operator why; then prove a new key with `assay agent renew --rekey`, or enrol the host again.',
    source: 'RFC 9773 §5',
  },
  'renewal-under-way': {
    summary: 'The same renewal is under way, and is not signed yet.',
    hint: 'Repeat the request in a moment; it has the same answer.',
    source: 'RFC 9773 §5',
  },
  'key-proof-expired': {
    summary:
      'The host proved this key too long ago for the appraisal policy to renew its certificate.',
    hint: 'Prove a new key: `assay agent renew --rekey` for an agent, `assay host enroll` for the host.',
    source: 'RFC 9334 §10',
  },
  'attestation-outdated': {
    summary:
      'The TPM was restarted since the host was attested, so that nothing is known of what runs now.',
    hint: 'Run `assay host enroll` on the host again; the same TPM keeps its record.',
    source: 'TPM 2.0 Part 1 r01.59 §36.5; verification Q8',
  },
  'caller-not-permitted': {
    summary: 'The caller may not do this to that subject.',
    hint: 'Call as the subject itself or its host.',
  },
  'audience-not-permitted': {
    summary: 'The caller may not have a token for that audience.',
    hint: 'Ask for an audience of its class, or have an operator register a class that names it.',
    source: 'RFC 8707 §2',
  },
  'client-id-not-permitted': {
    summary: 'The caller may not be attested under that client id.',
    hint: 'Have an operator register a class with that clientId; nobody chooses the name of another client.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §4',
  },
  'audit-beyond-tree': {
    summary: 'The log does not reach that far.',
    hint: 'Read the checkpoint first; its second line is the size.',
    source: 'C2SP tlog-tiles',
  },
} as const satisfies Record<string, ErrorRow>

export type ServiceErrorCode = keyof typeof rows

/** A use case that says no. `details` is for the caller: an Attestation Result, for example. */
export class ServiceError extends CodedError<ServiceErrorCode> {
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: ServiceErrorCode,
    facts?: ErrorFacts,
    details?: Readonly<Record<string, unknown>>,
  ) {
    super(code, rows[code], facts)
    this.details = details
  }
}
