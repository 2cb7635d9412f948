import { DerReader } from '../der/reader.ts'
import { constructedContextTag, TAG } from '../der/tag.ts'
import { readBoolean, readInteger } from '../der/value.ts'
import type { RawExtension } from '../x509/raw-extension.ts'

const instanceIdentity = '1.3.6.1.4.1.11129.2.1.21'

/**
 *     GceInstanceInformation ::= SEQUENCE {
 *       zone UTF8String, projectNumber INTEGER, projectId UTF8String, instanceId INTEGER, instanceName UTF8String,
 *       securityProperties [0] SEQUENCE {
 *         securityVersion [0] INTEGER OPTIONAL, isProduction [1] BOOLEAN OPTIONAL, ... } OPTIONAL }
 *
 * Whether the certificate of a Google virtual TPM says that it is in production; undefined where there is no such
 * statement at all.
 *
 * @throws DerError
 * @see verification VT2
 */
export function isInProduction(extensions: readonly RawExtension[]): boolean | undefined {
  const extension = extensions.find(({ id }) => id === instanceIdentity)
  if (extension === undefined) return undefined
  const reader = new DerReader(extension.value)
  const answer = reader.within(TAG.sequence, inside => {
    inside.contents(TAG.utf8String)
    readInteger(inside)
    inside.contents(TAG.utf8String)
    readInteger(inside)
    inside.contents(TAG.utf8String)
    return inside.optional(constructedContextTag(0), explicit =>
      explicit.within(TAG.sequence, readSecurityProperties),
    )
  })
  reader.finish()
  return answer ?? false
}

function readSecurityProperties(reader: DerReader): boolean {
  reader.optional(constructedContextTag(0), version => readInteger(version))
  const isProduction = reader.optional(constructedContextTag(1), flag => readBoolean(flag))
  // Newer certificates say more here, which has no bearing on the question.
  while (!reader.isAtEnd) reader.element()
  return isProduction ?? false
}
