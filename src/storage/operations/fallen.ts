/** What an act of revocation writes into a certificate that falls by it. */
export function fallenCertificate<At, Reason, Id>(act: {
  readonly at: At
  readonly reason_code: Reason
  readonly id: Id
}) {
  return {
    status: 'revoked',
    revoked_at: act.at,
    revocation_reason: act.reason_code,
    revocation: act.id,
  } as const
}

/** What it writes into a host or agent. */
export function fallenSubject<At, Reason, Id>(act: {
  readonly at: At
  readonly reason: Reason
  readonly id: Id
}) {
  return {
    status: 'revoked',
    revoked_at: act.at,
    revocation_reason: act.reason,
    revocation: act.id,
  } as const
}
