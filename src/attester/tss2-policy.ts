import { u32 } from '../core/bytes/encode.ts'
import type { DerReader } from '../core/der/reader.ts'
import { constructedContextTag, TAG } from '../core/der/tag.ts'
import * as der from '../core/der/writer.ts'
import { encodeOptional, readOptional, readText, readUnsigned } from './tss2-members.ts'

/** One step of a policy that uses a key: a TPM_CC and its marshalled parameters. */
export interface Tss2PolicyStep {
  readonly commandCode: number
  readonly commandPolicy: Uint8Array
}

/** A policy that may take the place of another, with the name it is known by. */
export interface Tss2AuthPolicy {
  readonly name?: string
  readonly policy: readonly Tss2PolicyStep[]
}

const listLimit = 64

/**
 *     SEQUENCE OF TPMPolicy ::= SEQUENCE { commandCode [0] EXPLICIT INTEGER, commandPolicy [1] EXPLICIT OCTET STRING }
 *
 * @throws DerError
 * @see draft-bottomley-tpm2-keys §3.1.3
 */
export function readPolicy(reader: DerReader): Tss2PolicyStep[] {
  return reader.within(TAG.sequence, list => list.each(listLimit, readStep))
}

function readStep(reader: DerReader): Tss2PolicyStep {
  return reader.within(TAG.sequence, inside => ({
    commandCode: inside.within(constructedContextTag(0), readUnsigned),
    commandPolicy: inside.within(constructedContextTag(1), value =>
      value.contents(TAG.octetString),
    ),
  }))
}

/**
 *     SEQUENCE OF TPMAuthPolicy ::= SEQUENCE { name [0] EXPLICIT UTF8String OPTIONAL,
 *                                              policy [1] EXPLICIT SEQUENCE OF TPMPolicy }
 *
 * @throws DerError
 * @see draft-bottomley-tpm2-keys §3.1.5
 */
export function readAuthPolicies(reader: DerReader): Tss2AuthPolicy[] {
  return reader.within(TAG.sequence, list => list.each(listLimit, readAuthPolicy))
}

function readAuthPolicy(reader: DerReader): Tss2AuthPolicy {
  return reader.within(TAG.sequence, inside => {
    const name = readOptional(inside, 0, readText)
    const policy = inside.within(constructedContextTag(1), readPolicy)
    return name === undefined ? { policy } : { name, policy }
  })
}

/** The inverse of {@link readPolicy}. */
export function encodePolicy(policy: readonly Tss2PolicyStep[]): Uint8Array {
  const steps = policy.map(({ commandCode, commandPolicy }) =>
    der.sequence(
      ...encodeOptional(0, der.unsignedInteger(u32(commandCode))),
      ...encodeOptional(1, der.octetString(commandPolicy)),
    ),
  )
  return der.sequence(...steps)
}

/** The inverse of {@link readAuthPolicies}. */
export function encodeAuthPolicies(policies: readonly Tss2AuthPolicy[]): Uint8Array {
  const alternatives = policies.map(({ name, policy }) =>
    der.sequence(
      ...encodeOptional(0, name === undefined ? undefined : der.utf8String(name)),
      ...encodeOptional(1, encodePolicy(policy)),
    ),
  )
  return der.sequence(...alternatives)
}
