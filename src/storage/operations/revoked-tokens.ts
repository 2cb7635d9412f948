import type { RevokedTokenRow } from '../spent-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { markToken } from './revocation-acts.ts'

const insert = statement<RevokedTokenRow>()((db, is) =>
  db
    .insertInto('revoked_tokens')
    .values({ jti: is.jti, expires_at: is.expires_at })
    .onConflict(conflict => conflict.column('jti').doNothing()),
)

const find = statement<{ jti: string }>()((db, is) =>
  db.selectFrom('revoked_tokens').select('jti').where('jti', '=', is.jti),
)

/** See `TokenStore.revoke`. */
export async function revokeToken(
  tx: Transaction,
  jti: string,
  expiresAt: number,
  place: { readonly list: string; readonly idx: number } | null,
  by: { readonly at: number; readonly author: string },
  entry: string,
): Promise<'done' | 'already'> {
  if ((await tx.run(insert, { jti, expires_at: expiresAt })) === 0) return tx.refuse('already')
  if (place !== null) await markToken(tx, { ...place, jti, at: by.at }, by.author)
  tx.append(entry)
  return 'done'
}

/** See `TokenStore.isRevoked`. */
export async function isTokenRevoked(tx: Transaction, jti: string): Promise<boolean> {
  return (await tx.first(find, { jti })) !== undefined
}
