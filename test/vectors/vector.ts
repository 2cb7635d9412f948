/**
 * What is expected of a file: `refuse` is genuine or well-formed but not to be trusted by default, `suite` states
 * its verdicts inside.
 */
export type Verdict = 'accept' | 'refuse' | 'malformed'

/** One file of the manifest. */
export interface ManifestEntry {
  /** Path below the folder, with `/`. */
  readonly file: string
  readonly kind: string
  readonly verdict: Verdict | 'suite'
  /** The reason for the verdict, in words. */
  readonly why: string
  /** Hex SHA-256 of the file. */
  readonly sha256: string
  readonly source?: string
  readonly licence?: string
  /** Bank, PCR number in decimal, hex value: as an independent replay gives them. */
  readonly pcrs?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The banks of the log; null for one in the format of TPM 1.2. */
  readonly banks?: readonly string[] | null
  /** Events in the log, the header of a crypto-agile one not among them. */
  readonly events?: number
}

/** What one case came out as. `name` and `detail` hold nothing of the machine that the evidence is from. */
export interface Finding {
  readonly name: string
  readonly expected: Verdict
  readonly found: Verdict
  readonly detail?: string
}

/**
 * What `test/vectors/<kind>.ts` exports as `check`: runs a file through the code it is for. A file gives one finding
 * or more; each is a difference where `found` is not `expected`.
 *
 * @param bytes the file, whose digest is the one in the manifest
 * @param folder where the file is from, for kinds that need others beside it
 */
export type CheckVector = (
  entry: ManifestEntry,
  bytes: Uint8Array,
  folder: string,
) => Finding[] | Promise<Finding[]>
