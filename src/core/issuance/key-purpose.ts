/** Purposes of a key by the names that profiles write (RFC 5280 §4.2.1.12; TCG Credential Profiles r1.0 §3.1). */
export const keyPurposes: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
  tcgAttestationKey: '2.23.133.8.3',
}

/** The OBJECT IDENTIFIER of a purpose. Throws TypeError for a name without a row. */
export function keyPurposeId(name: string): string {
  const id = keyPurposes[name]
  if (id === undefined) throw new TypeError(`no purpose of the table: ${name}`)
  return id
}
