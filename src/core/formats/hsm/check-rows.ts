import type { ErrorRow } from '../../coded-error.ts'

const forged =
  'Evidence like this does not come from the host tool. Treat the host as hostile until you know why.'
const again = 'Begin again with a new challenge, and answer it once.'
const createKey =
  'Create the key in the token as `assay host enroll --pkcs11` does: for signing alone, not extractable, and not changeable.'
const genuine = 'Present the attestation that the device itself made for this very key.'
const replace =
  'Replace the device; its firmware cannot be updated, or update it and make new keys.'

/** The checks of keys that an HSM holds, in all three formats. */
export const hsmCheckRows = {
  'hsm-key-unsupported': {
    summary: 'The key is on no curve that is accepted here, or its point is not on it.',
    hint: 'Create an EC key on P-256 or P-384.',
    source: 'RFC 7518 §3.4; verification A1',
  },
  'hsm-proof': {
    summary: 'The key of the request did not sign this challenge.',
    hint: again,
    source: 'RFC 9334 §10; verification H2',
  },
  'hsm-token-differs': {
    summary: 'What is proven is of another token than the one that this is for.',
    hint: 'Use a key of the token that the host was enrolled with; another token is another host.',
    source: 'verification H5, X1',
  },
  'hsm-vendor': {
    summary: 'The attestation is of a vendor that is not known here.',
    hint: 'Use the inspected or the declared level, or ask for the vendor’s format to be added.',
    source: 'verification A4, section 15',
  },
  'hsm-certificate-malformed': {
    summary: 'A certificate of the attestation cannot be read as exactly one certificate in DER.',
    hint: genuine,
    source: 'RFC 5280 §4.1; verification P1',
  },
  'hsm-chain': {
    summary: 'The attestation does not come with exactly the certificate of its device.',
    hint: 'Send the key’s attestation and the device’s certificate; the vendor’s authority is the operator’s to admit.',
    source: 'verification H6, section 15',
  },
  'hsm-device': {
    summary: 'The certificate above the key’s is not one that may attest keys.',
    hint: genuine,
    source: 'RFC 5280 §4.2.1.3, §4.2.1.9; verification section 15',
  },
  'hsm-certificate-signature': {
    summary: 'The attestation of the key is not signed by the device’s certificate.',
    hint: forged,
    source: 'RFC 5280 §6.1.3 (a)(1), (a)(4); verification section 15',
  },
  'hsm-certificate-validity': {
    summary: 'The attestation of the key is not valid at this time.',
    hint: 'Have the device attest the key again, and look at the clocks.',
    source: 'RFC 5280 §4.1.2.5',
  },
  'hsm-extension': {
    summary: 'The attestation lacks an extension of its vendor, or has one that cannot be read.',
    hint: genuine,
    source: 'Yubico YubiHSM 2 and PIV attestation extensions; verification section 15, H3',
  },
  'hsm-not-local': {
    summary: 'The key was not born in its token.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.9 CKA_LOCAL; verification section 14, H4',
  },
  'hsm-wrapped': {
    summary: 'The key was wrapped into its token: it exists outside as well.',
    hint: createKey,
    source: 'YubiHSM 2 key attestation, origin; verification section 15',
  },
  'hsm-extractable': {
    summary: 'The key may leave its token.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.9 CKA_EXTRACTABLE; verification section 14, section 15',
  },
  'hsm-ever-extractable': {
    summary: 'The key could leave its token at some time.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.9 CKA_NEVER_EXTRACTABLE; verification section 14',
  },
  'hsm-sensitive': {
    summary: 'The key can be read in clear, or could be at some time.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.9 CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE; verification section 14',
  },
  'hsm-session-object': {
    summary: 'The key does not stay in its token, or is open to who has no PIN.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.4 CKA_TOKEN, CKA_PRIVATE; verification section 14',
  },
  'hsm-mechanism': {
    summary: 'The key was not made by the mechanism that makes key pairs of its kind.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.9 CKA_KEY_GEN_MECHANISM; verification section 14',
  },
  'hsm-usage': {
    summary: 'The key may do other than sign.',
    hint: createKey,
    source: 'PKCS #11 v3.0 §4.9; Clulow 2003; verification section 14',
  },
  'hsm-capabilities': {
    summary:
      'The key has a capability that a signing key has no use for, or lacks the one it needs.',
    hint: 'Create it with sign-ecdsa and nothing else.',
    source: 'YubiHSM 2 key attestation, capabilities; verification section 15',
  },
  'hsm-firmware': {
    summary: 'The firmware of the device is older than the oldest that is accepted.',
    hint: replace,
    source: 'Yubico YSA-2024-03 (EUCLEAK); verification section 15, X4',
  },
  'hsm-firmware-roca': {
    summary: 'The firmware of the device made keys that can be factored.',
    hint: replace,
    source: 'CVE-2017-15361, Yubico YSA-2017-01; verification section 15',
  },
  'hsm-slot': {
    summary: 'The key lies in no slot of the card that holds keys for signing.',
    hint: 'Create it in 9a, 9c, 9e or one of 82 to 95.',
    source: 'NIST SP 800-73-4 Part 1 §3.1; verification section 15',
  },
  'hsm-inspection-malformed': {
    summary: 'What the service found in the token cannot be read.',
    hint: 'Enrol the host anew; the kept record is damaged or of another version.',
    source: 'verification P1, section 14',
  },
  'hsm-inspection-key': {
    summary: 'The key that the service found in the token is not the key of the request.',
    hint: 'Name the key of the request by its CKA_ID, and see that the token is the one the service has.',
    source: 'verification H1, section 14',
  },
  'hsm-inspection-signature': {
    summary: 'The key in the token did not sign the service’s own challenge.',
    hint: forged,
    source: 'verification H2, section 14',
  },
  'hsm-statement-malformed': {
    summary:
      'The statement about the key is not one JWS with exactly the members that it must have.',
    hint: forged,
    source: 'RFC 7515 §7.1; verification P1',
  },
  'hsm-statement-signer': {
    summary: 'No operator has registered the key that signed the statement.',
    hint: 'Register the attestation key of the token with `assay hsm-key register`.',
    source: 'RFC 9334 §8.2; verification section 14',
  },
  'hsm-statement-signature': {
    summary: 'The statement is not signed by the attestation key that it names.',
    hint: forged,
    source: 'RFC 7515 §5.2',
  },
  'hsm-statement-nonce': {
    summary: 'The statement was made for another challenge.',
    hint: again,
    source: 'RFC 9334 §10; verification H2',
  },
  'hsm-statement-audience': {
    summary: 'The statement was made for another service, or for another purpose.',
    hint: again,
    source: 'RFC 8725 §3.9; verification X1',
  },
  'hsm-statement-key': {
    summary: 'The statement is about another key than that of the request.',
    hint: forged,
    source: 'verification H1',
  },
  'hsm-statement-self': {
    summary: 'The attestation key speaks for itself.',
    hint: 'Create a key of its own for the host; the attestation key signs statements alone.',
    source: 'RFC 9334 §3.2; verification F5',
  },
} as const satisfies Record<string, ErrorRow & { readonly source: string }>

export type HsmCheckCode = keyof typeof hsmCheckRows
