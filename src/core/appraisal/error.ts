import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'policy-malformed': {
    summary: 'The appraisal policy does not have the form that policies have.',
    hint: 'Correct the member named above; `assay policy check FILE` names the line.',
  },
  'policy-rule-unknown': {
    summary: 'The appraisal policy has a rule of a kind that does not exist here.',
    hint: 'Use a kind that the documentation lists; a rule that is not understood is never skipped.',
    source: 'RFC 9334 §8.5',
  },
  'policy-rule-duplicate': {
    summary: 'Two rules of the appraisal policy have the same id.',
    hint: 'Give each rule an id of its own; the verdict names rules by it.',
  },
  'policy-rule-repeated': {
    summary: 'The appraisal policy has two rules of a kind that it can have once.',
    hint: 'Put both into one rule: it also says how the logs of a host are verified.',
  },
  'policy-key': {
    summary: 'A key of the appraisal policy cannot be read, or is too weak.',
    hint: 'Give each key as SubjectPublicKeyInfo, DER in base64url; RSA of 2048 bits or more, or ECDSA.',
    source: 'RFC 5280 §4.1.2.7',
  },
  'policy-reference-unknown': {
    summary: 'A rule names a reference value or allow-list that the policy does not hold.',
    hint: 'Add it under referenceValues or allowLists, or correct the name.',
    source: 'RFC 9334 §8.3',
  },
  'policy-pcr-unquoted': {
    summary: 'A rule looks at a PCR that the policy does not have quoted.',
    hint: 'Add the PCR to pcrs.sha256; a value that is not quoted proves nothing.',
    source: 'verification Q4, Q6',
  },
  'activation-malformed': {
    summary: 'The signed activation of the policy cannot be read.',
    hint: 'Activate with `assay policy activate`, which signs with your key.',
    source: 'RFC 7515 §7.1',
  },
  'activation-signature': {
    summary: 'The activation is not signed by the key of the operator who sends it.',
    hint: 'Sign it with the key that is registered for you; nobody activates for another.',
    source: 'RFC 7515 §5.2',
  },
  'activation-mismatch': {
    summary: 'The activation was signed for something else than what is asked for.',
    hint: 'Read the policy in force again, and sign for the version that you mean to put in its place.',
  },
  'activation-time': {
    summary: 'The activation was not signed just now.',
    hint: 'Set the clock of your machine and sign again.',
  },
  'advisories-malformed': {
    summary: 'The table of known-vulnerable firmware cannot be read.',
    hint: 'Restore ca/firmware-advisories.json; the row named above is wrong.',
  },
  'attestation-not-kept': {
    summary: 'The kept Evidence cannot be judged again.',
    hint: 'Have the host attest again; Evidence that was refused before it was appraised is kept to be looked at.',
  },
} as const satisfies Record<string, ErrorRow>

export type AppraisalErrorCode = keyof typeof rows

/** A policy, a table or kept Evidence that cannot be used. A verdict is never an error. */
export class AppraisalError extends CodedError<AppraisalErrorCode> {
  constructor(code: AppraisalErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
