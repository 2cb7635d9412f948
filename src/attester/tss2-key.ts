import { sized, u32 } from '../core/bytes/encode.ts'
import { FormatError } from '../core/bytes/format-error.ts'
import { DerError } from '../core/der/error.ts'
import { parseDer, type DerReader } from '../core/der/reader.ts'
import { TAG } from '../core/der/tag.ts'
import * as der from '../core/der/writer.ts'
import { AttesterError } from './error.ts'
import { decodePem, encodePem } from './pem.ts'
import {
  encodeOptional,
  readBoolean,
  readHandle,
  readOptional,
  readSized,
  readText,
} from './tss2-members.ts'
import {
  encodeAuthPolicies,
  encodePolicy,
  readAuthPolicies,
  readPolicy,
  type Tss2AuthPolicy,
  type Tss2PolicyStep,
} from './tss2-policy.ts'

/** What the file holds, by the object identifier that it begins with. */
export type Tss2Kind = 'loadable' | 'importable' | 'sealed'

/** A key file of TPM 2.0 tools. What it says is untrusted; only what a TPM certifies of the key is not. */
export interface Tss2Key {
  readonly kind: Tss2Kind
  /** Whether the authValue is empty; otherwise it has to be asked for. */
  readonly emptyAuth: boolean
  readonly policy?: readonly Tss2PolicyStep[]
  /** What an importable key's secret is encrypted in. */
  readonly secret?: Uint8Array
  readonly authPolicy?: readonly Tss2AuthPolicy[]
  readonly description?: string
  /** Whether the primary key of the hierarchy in `parent` is RSA-2048 rather than P-256. */
  readonly rsaParent?: boolean
  /** A hierarchy, whose primary key the parent is, or a persistent handle. */
  readonly parent: number
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  /** TPM2B_PRIVATE content. */
  readonly private: Uint8Array
}

/** TCG OID registry; the last is what older tools wrote. */
const kinds: readonly { readonly oid: string; readonly kind: Tss2Kind }[] = [
  { oid: '2.23.133.10.1.3', kind: 'loadable' },
  { oid: '2.23.133.10.1.4', kind: 'importable' },
  { oid: '2.23.133.10.1.5', kind: 'sealed' },
  { oid: '2.23.133.10.2', kind: 'loadable' },
]

const label = 'TSS2 PRIVATE KEY'
const labels = [label, 'TSS2 KEY BLOB']

/**
 * Reads a key file. Lenient where real tools differ: the older label, text around the PEM, any non-zero BOOLEAN for
 * TRUE, and persistent parents as negative numbers.
 *
 *     TPMKey ::= SEQUENCE {
 *       type OBJECT IDENTIFIER, emptyAuth [0] EXPLICIT BOOLEAN OPTIONAL,
 *       policy [1] EXPLICIT SEQUENCE OF TPMPolicy OPTIONAL, secret [2] EXPLICIT OCTET STRING OPTIONAL,
 *       authPolicy [3] EXPLICIT SEQUENCE OF TPMAuthPolicy OPTIONAL,
 *       description [4] EXPLICIT UTF8String OPTIONAL, rsaParent [5] EXPLICIT BOOLEAN OPTIONAL,
 *       parent INTEGER, pubkey OCTET STRING, privkey OCTET STRING }
 *
 * @throws AttesterError `tss2-malformed`
 * @see draft-bottomley-tpm2-keys §3.1
 */
export function parseTss2Key(pem: string): Tss2Key {
  const encoded = decodePem(pem, labels)
  if (encoded === undefined) throw new AttesterError('tss2-malformed', { expected: `one ${label}` })
  try {
    return parseDer(encoded, TAG.sequence, readKey)
  } catch (cause) {
    if (!(cause instanceof DerError || cause instanceof FormatError)) throw cause
    throw new AttesterError('tss2-malformed', { found: cause.message, cause })
  }
}

function readKey(reader: DerReader): Tss2Key {
  return {
    kind: readKind(reader),
    emptyAuth: readOptional(reader, 0, readBoolean) ?? false,
    ...member('policy', readOptional(reader, 1, readPolicy)),
    ...member(
      'secret',
      readOptional(reader, 2, inside => inside.contents(TAG.octetString)),
    ),
    ...member('authPolicy', readOptional(reader, 3, readAuthPolicies)),
    ...member('description', readOptional(reader, 4, readText)),
    ...member('rsaParent', readOptional(reader, 5, readBoolean)),
    parent: readHandle(reader),
    public: readSized(reader),
    private: readSized(reader),
  }
}

function readKind(reader: DerReader): Tss2Kind {
  const encoded = reader.encoded(TAG.objectIdentifier)
  const row = kinds.find(({ oid }) => Buffer.compare(der.objectIdentifier(oid), encoded) === 0)
  if (row === undefined) throw new DerError('der-value', { expected: 'a kind of TPM key' })
  return row.kind
}

function member<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: T }
}

/** The key file, PEM over strict DER: the inverse of {@link parseTss2Key}. The argument is the caller's own. */
export function encodeTss2Key(key: Tss2Key): string {
  const { policy, authPolicy, description } = key
  const encoded = der.sequence(
    der.objectIdentifier(kinds.find(({ kind }) => kind === key.kind)?.oid ?? ''),
    ...encodeOptional(0, key.emptyAuth ? der.booleanTrue : undefined),
    ...encodeOptional(1, policy === undefined ? undefined : encodePolicy(policy)),
    ...encodeOptional(2, key.secret === undefined ? undefined : der.octetString(key.secret)),
    ...encodeOptional(3, authPolicy === undefined ? undefined : encodeAuthPolicies(authPolicy)),
    ...encodeOptional(4, description === undefined ? undefined : der.utf8String(description)),
    ...encodeOptional(5, key.rsaParent === true ? der.booleanTrue : undefined),
    der.unsignedInteger(u32(key.parent)),
    der.octetString(sized(key.public)),
    der.octetString(sized(key.private)),
  )
  return encodePem(label, encoded)
}
