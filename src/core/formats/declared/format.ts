import { createHash } from 'node:crypto'
import { jwsAlgorithmOf } from '../../jose/algorithm.ts'
import { exportJwk, importJwk, thumbprint } from '../../jose/jwk.ts'
import { parseJws, verifyJws, type ParsedJws } from '../../jose/jws.ts'
import { CheckRecorder } from '../../verifier/check.ts'
import type { RegisteredHsmKey } from '../evidence-format.ts'
import { verifyAttributes } from '../hsm/attributes.ts'
import type { HsmContext } from '../hsm/binding.ts'
import { hsmRecord } from '../hsm/evidence.ts'
import type { HsmFormat } from '../hsm/format.ts'
import { propertiesOf } from '../hsm/properties.ts'
import { verifyHsmRequest, type ProvenRequest } from '../hsm/request.ts'
import { tokenSha256 } from '../hsm/token.ts'
import { sealHsmKey } from '../hsm/verified.ts'
import { isOctets, readStatement, type KeyStatement, type ParsedStatement } from './statement.ts'

const record = hsmRecord('hsm-declared')

/**
 * A key that a host makes a statement about, signed by an attestation key in the same token that an operator registered.
 * What it proves is that who can use that token says so: whoever has the PIN could have stated anything. It is the
 * lowest level of hardware, and named for that.
 *
 * @see verification section 14
 */
export const hsmDeclaredFormat: HsmFormat = {
  ...record,
  verifyKey: (evidence, expected) => {
    const checks = new CheckRecorder()
    const { context, hsmKeys = [], isToken } = expected
    const request = verifyHsmRequest(checks, record.id, evidence, context)
    const { jws, kid, statement } = parse(checks, evidence.statement)
    const registered = requireRegistered(checks, hsmKeys, kid)
    verifySignature(checks, jws, registered)
    verifyBinding(checks, statement, context, { ...evidence, request })
    const isOwn = request.key.equals(importJwk(registered.jwk))
    checks.require(!isOwn, 'hsm-statement-self')
    verifyAttributes(checks, statement.attributes)
    const { token, firmware } = statement
    checks.require(registered.isToken(tokenSha256(token)), 'hsm-token-differs')
    const properties = propertiesOf(statement.attributes)
    const facts = { token, vendor: token.manufacturer, firmware, properties }
    return sealHsmKey(
      checks,
      {
        request,
        facts,
        level: 'hsm-declared',
        endorsementKind: 'registered',
        registeredJkt: kid,
      },
      { claimed: evidence.token, isToken },
    )
  },
}

function parse(
  checks: CheckRecorder,
  bytes: Uint8Array,
): ParsedStatement & { readonly jws: ParsedJws } {
  const parsed = checks.attempt('hsm-statement-malformed', undefined, () => {
    const jws = parseJws(Buffer.from(bytes).toString('latin1'))
    const read = readStatement(jws)
    return read === undefined ? undefined : { jws, ...read }
  })
  return parsed ?? checks.refuse('hsm-statement-malformed', { found: 'other members' })
}

function requireRegistered(
  checks: CheckRecorder,
  keys: readonly RegisteredHsmKey[],
  kid: string,
): RegisteredHsmKey {
  const registered = keys.find(({ jwk }) => thumbprint(jwk) === kid)
  if (registered === undefined) return checks.refuse('hsm-statement-signer')
  checks.pass('hsm-statement-signer')
  return registered
}

function verifySignature(checks: CheckRecorder, jws: ParsedJws, { jwk }: RegisteredHsmKey): void {
  checks.attempt('hsm-statement-signature', undefined, () => {
    verifyJws(jws, importJwk(jwk), jwsAlgorithmOf[jwk.crv])
  })
}

function verifyBinding(
  checks: CheckRecorder,
  statement: KeyStatement,
  context: HsmContext,
  { csr, request }: { readonly csr: Uint8Array; readonly request: ProvenRequest },
): void {
  checks.require(isOctets(statement.nonce, context.nonce), 'hsm-statement-nonce')
  const isMeant =
    statement.aud === context.audience &&
    statement.purpose === context.purpose &&
    statement.context === context.contextId
  checks.require(isMeant, 'hsm-statement-audience')
  const digest = createHash('sha256').update(csr).digest()
  const isKey =
    isOctets(statement.csrSha256, digest) && statement.jkt === thumbprint(exportJwk(request.key))
  checks.require(isKey, 'hsm-statement-key')
}
