import { baseOf, layerOf, positionOf, symbolOf } from './response-code.ts'

interface Row {
  readonly summary: string
  readonly hint: string
}

/** A code of {@link Tpm2Error}: stable, to branch on. */
export type Tpm2ErrorCode =
  | 'tpm-refused'
  | 'tpm-busy'
  | 'tpm-rate-limited'
  | 'tpm-locked-out'
  | 'tpm-slots-exhausted'
  | 'tpm-authorization-failed'
  | 'tpm-policy-failed'
  | 'tpm-handle-unknown'
  | 'tpm-unreachable'
  | 'tpm-stack-failed'
  | 'tpm-structure-malformed'
  | 'tpm-connection-closed'
  | 'tpm-handle-released'
  | 'tpm-pcrs-unsteady'
  | 'tpm-nv-policy-only'

const table: Readonly<Record<Tpm2ErrorCode, Row>> = {
  'tpm-refused': {
    summary: 'The TPM refused the command.',
    hint: 'the response code names the parameter, handle or session that it disliked',
  },
  'tpm-busy': {
    summary: 'The TPM stayed too busy for the command.',
    hint: 'try again later; it was resubmitted as often as the connection allows',
  },
  'tpm-rate-limited': {
    summary: 'The TPM limits the rate of writes to protect its non-volatile memory.',
    hint: 'wait some seconds before the next write',
  },
  'tpm-locked-out': {
    summary: 'The TPM is in dictionary-attack lockout.',
    hint: 'wait for the lockout recovery time, or reset it with the lockout authorization',
  },
  'tpm-slots-exhausted': {
    summary: 'The TPM has no free slot for another object or session.',
    hint: 'flush what is not needed, or connect through a resource manager such as device:/dev/tpmrm0',
  },
  'tpm-authorization-failed': {
    summary: 'The TPM did not accept the authorization value.',
    hint: 'check the authValue of the object, index or hierarchy',
  },
  'tpm-policy-failed': {
    summary: 'The policy session does not satisfy the policy of the object.',
    hint: "start the session with the object's nameAlg and satisfy each step of its policy",
  },
  'tpm-handle-unknown': {
    summary: 'The TPM holds nothing at this handle.',
    hint: 'list the handles that exist; a reset takes every transient object and session',
  },
  'tpm-unreachable': {
    summary: 'The TPM cannot be reached.',
    hint: 'check the TCTI string, that the device or socket exists, and membership of the group tss',
  },
  'tpm-stack-failed': {
    summary: "The TPM software stack refused the call or the TPM's answer.",
    hint: 'the text names the reason',
  },
  'tpm-structure-malformed': {
    summary: 'The octets are not the structure that the command takes.',
    hint: 'marshal the structure without its outer size and without trailing octets',
  },
  'tpm-connection-closed': {
    summary: 'The connection to the TPM is closed.',
    hint: 'open a new one',
  },
  'tpm-handle-released': {
    summary: 'The handle was flushed, or belongs to another connection.',
    hint: 'use a handle on the connection that made it and before it is flushed',
  },
  'tpm-pcrs-unsteady': {
    summary: 'The PCRs changed during every attempt to read them.',
    hint: 'try again when fewer measurements are being made',
  },
  'tpm-nv-policy-only': {
    summary: 'The NV index can be read by a policy alone.',
    hint: 'name the hierarchy to read it with, if there is one',
  },
}

const codesOfTpm = new Map<string, Tpm2ErrorCode>([
  ['TPM_RC_RETRY', 'tpm-busy'],
  ['TPM_RC_YIELDED', 'tpm-busy'],
  ['TPM_RC_TESTING', 'tpm-busy'],
  ['TPM_RC_NV_RATE', 'tpm-rate-limited'],
  ['TPM_RC_LOCKOUT', 'tpm-locked-out'],
  ['TPM_RC_OBJECT_MEMORY', 'tpm-slots-exhausted'],
  ['TPM_RC_SESSION_MEMORY', 'tpm-slots-exhausted'],
  ['TPM_RC_MEMORY', 'tpm-slots-exhausted'],
  ['TPM_RC_OBJECT_HANDLES', 'tpm-slots-exhausted'],
  ['TPM_RC_SESSION_HANDLES', 'tpm-slots-exhausted'],
  ['TPM_RC_AUTH_FAIL', 'tpm-authorization-failed'],
  ['TPM_RC_BAD_AUTH', 'tpm-authorization-failed'],
  ['TPM_RC_POLICY_FAIL', 'tpm-policy-failed'],
  ['TPM_RC_HANDLE', 'tpm-handle-unknown'],
  ['TPM_RC_REFERENCE_H0', 'tpm-handle-unknown'],
])

// The addon's own response codes (src/failure.h) and the layers whose codes mean one thing here.
const closedRc = 0xe00001
const malformedRc = 0xe00002
const codesOfAddon = new Map<number, Tpm2ErrorCode>([
  [closedRc, 'tpm-connection-closed'],
  [malformedRc, 'tpm-structure-malformed'],
  [0xe00003, 'tpm-pcrs-unsteady'],
  [0xe00004, 'tpm-nv-policy-only'],
  [0xe00005, 'tpm-handle-released'],
  [0x70018, 'tpm-handle-released'], // TSS2_ESYS_RC_BAD_TR
])

function codeOf(rc: number): Tpm2ErrorCode {
  const layer = layerOf(rc)
  if (layer === 'tpm' || layer === 'resmgr-tpm')
    return codesOfTpm.get(symbolOf(rc) ?? '') ?? 'tpm-refused'
  if (layer === 'tcti') return 'tpm-unreachable'
  if (layer === 'mu') return 'tpm-structure-malformed'
  return codesOfAddon.get(rc) ?? 'tpm-stack-failed'
}

/** What the addon rejects with. */
interface NativeFailure {
  readonly rc: number
  readonly command: string
  readonly text: string
}

/**
 * The one error of this package: a TPM, or a layer of the stack above it, did not do what it was asked.
 * A wrong JavaScript type stays a `TypeError`.
 */
export class Tpm2Error extends Error {
  override readonly name: string = 'Tpm2Error'
  /** The stable code to branch on. */
  readonly code: Tpm2ErrorCode
  /** The whole response code, layer and position included (TSS2_RC). */
  readonly rc: number
  /** Where it comes from: `tpm`, `resmgr`, `resmgr-tpm`, `tcti`, `mu`, `sys`, `esys` or `addon`. */
  readonly layer: string
  /** The command or call that failed, by the specification's name. */
  readonly command: string
  /** The decoded response code, as tpm2-tss words it. */
  readonly text: string
  /** The TPM's name for it, such as `TPM_RC_OBJECT_MEMORY`; `undefined` for other layers. */
  readonly symbol: string | undefined
  /** What it speaks of, such as `handle 1`; `undefined` when the code does not say. */
  readonly position: string | undefined
  /** What to try next. */
  readonly hint: string

  constructor(failure: NativeFailure, cause?: unknown) {
    const code = codeOf(failure.rc)
    const { summary, hint } = table[code]
    super(
      `${summary} ${failure.command}: ${failure.text}`,
      cause === undefined ? undefined : { cause },
    )
    this.code = code
    this.rc = failure.rc
    this.layer = layerOf(failure.rc)
    this.command = failure.command
    this.text = failure.text
    const isTpm = this.layer === 'tpm' || this.layer === 'resmgr-tpm'
    this.symbol = isTpm ? symbolOf(failure.rc) : undefined
    this.position = isTpm ? positionOf(failure.rc) : undefined
    this.hint = hint
  }

  /** Whether the TPM answered with this response code, whatever the position: `error.is(0x18b)` is `error.is(0x8b)`. */
  is(rc: number): boolean {
    return this.symbol !== undefined && baseOf(this.rc) === baseOf(rc)
  }

  /** Turns what the addon rejects with into a Tpm2Error; gives anything else back as it is. */
  static from(error: unknown): unknown {
    return isNativeFailure(error) ? new Tpm2Error(error) : error
  }

  static closed(command: string): Tpm2Error {
    return new Tpm2Error({ rc: closedRc, command, text: 'addon:the connection is closed' })
  }

  static released(command: string): Tpm2Error {
    return new Tpm2Error({
      rc: 0xe00005,
      command,
      text: 'addon:the handle is not held by this connection',
    })
  }
}

function isNativeFailure(error: unknown): error is Error & NativeFailure {
  return (
    error instanceof Error && !(error instanceof Tpm2Error) && 'rc' in error && 'command' in error
  )
}
