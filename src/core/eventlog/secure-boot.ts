import { hash } from 'node:crypto'
import { variableVendor } from '../uefi/guid.ts'
import {
  parseSignatureLists,
  type SignatureEntry,
  type SignatureKind,
} from '../uefi/signature-list.ts'
import { unlessMalformed } from '../uefi/unless-malformed.ts'
import { parseUefiVariable, type UefiVariable } from '../uefi/variable.ts'
import type { Check } from '../verifier/check.ts'
import { EVENT_TYPE } from './event-type.ts'
import { factCheck, hexOf, provenanceOf, type Provenance } from './fact.ts'
import { authorityOf, type BootAuthority } from './boot-authority.ts'
import type { ProvenEvent } from './proven-event.ts'
import { separatorMark } from './structure.ts'

/** One entry of a database: a certificate by its SHA-256, or a hash as it stands there. */
export interface DatabaseEntry {
  readonly kind: SignatureKind
  readonly owner: string
  /** Hex: SHA-256 of a certificate or key, the first 32 bytes of a hash entry. */
  readonly sha256: string
}

/** A Secure Boot database as it was when the machine started. */
export interface SignatureDatabase extends Provenance {
  /** Hex SHA-256 of the whole content. */
  readonly sha256: string
  readonly entries: readonly DatabaseEntry[]
}

export const databaseNames = ['PK', 'KEK', 'db', 'dbx'] as const
export type DatabaseName = (typeof databaseNames)[number]

/** What PCR 7 shows. */
export interface SecureBootFacts {
  /** Undefined where it cannot be proven either way: then it is not on. */
  readonly isEnabled: boolean | undefined
  readonly databases: Readonly<Partial<Record<DatabaseName, SignatureDatabase>>>
  /** What images were verified by, in their order: who signed the boot loader is the first after the separator. */
  readonly authorities: readonly BootAuthority[]
  /** Revocation level that shim enforces; undefined where it did not measure one. */
  readonly sbatLevel: string | undefined
}

/** Watches PCR 7. Variables count only while they are measured before its separator, and with all of their data bound. */
export class SecureBootWatch {
  readonly #variables = new Map<
    string,
    { variable: UefiVariable; event: ProvenEvent; count: number }
  >()
  readonly #databases = new Map<DatabaseName, readonly SignatureEntry[]>()
  readonly #authorities: {
    variable: UefiVariable
    event: ProvenEvent
    isBeforeSeparator: boolean
  }[] = []
  readonly #sbatLevels: UefiVariable[] = []
  #isClosed = false

  see(event: ProvenEvent): void {
    if (event.pcr !== 7) return
    if (separatorMark(event) !== undefined) this.#isClosed = true
    const variable = event.binding === 'data' ? variableOf(event.data) : undefined
    if (variable === undefined) return
    if (event.type === EVENT_TYPE.EFI_VARIABLE_DRIVER_CONFIG && !this.#isClosed)
      this.#seeVariable(variable, event)
    if (event.type === EVENT_TYPE.EFI_VARIABLE_AUTHORITY) this.#seeAuthority(variable, event)
  }

  /** The facts and the lines of the verdict about them. */
  result(): { facts: SecureBootFacts; checks: Check[] } {
    const isEnabled = this.#isEnabled()
    const broken = databaseNames.filter(name => this.#entries(name) === undefined)
    const db = this.#databases.get('db') ?? []
    const authorities = this.#authorities.map(row => ({ ...row, authority: authorityOf(row, db) }))
    const strangers = authorities.filter(({ authority }) => authority === undefined)
    const facts = {
      isEnabled,
      databases: this.#databaseFacts(),
      authorities: authorities.flatMap(({ authority }) => authority ?? []),
      sbatLevel: this.#sbatLevel(),
    }
    const unlisted = strangers.map(({ event }) => `event ${event.index}`).join(', ')
    const checks = [
      factCheck('eventlog-secure-boot', isEnabled === undefined ? 'SecureBoot' : undefined),
      factCheck('eventlog-signature-database', broken.length === 0 ? undefined : broken.join(', ')),
      factCheck('eventlog-authority', strangers.length === 0 ? undefined : unlisted),
    ]
    return { facts, checks }
  }

  #seeVariable(variable: UefiVariable, event: ProvenEvent): void {
    const key = `${variable.vendor} ${variable.name}`
    const count = (this.#variables.get(key)?.count ?? 0) + 1
    this.#variables.set(key, { variable, event, count })
  }

  /** shim measures the revocation level that it enforces in the same way. */
  #seeAuthority(variable: UefiVariable, event: ProvenEvent): void {
    if (variable.vendor === variableVendor.shimLock && variable.name === 'SbatLevel')
      this.#sbatLevels.push(variable)
    else this.#authorities.push({ variable, event, isBeforeSeparator: !this.#isClosed })
  }

  /** A variable that was measured exactly once; without a separator after it, anyone could have measured it. */
  #only(vendor: string, name: string): { variable: UefiVariable; event: ProvenEvent } | undefined {
    const found = this.#variables.get(`${vendor} ${name}`)
    return found?.count === 1 && this.#isClosed ? found : undefined
  }

  #isEnabled(): boolean | undefined {
    const data = this.#only(variableVendor.global, 'SecureBoot')?.variable.data
    if (data?.length !== 1) return undefined
    return data[0] === 1 ? true : data[0] === 0 ? false : undefined
  }

  #entries(name: DatabaseName): readonly SignatureEntry[] | undefined {
    const found = this.#only(vendorOf(name), name)
    if (found === undefined) return undefined
    const entries = this.#databases.get(name) ?? entriesOf(found.variable.data)
    if (entries !== undefined) this.#databases.set(name, entries)
    return entries
  }

  #databaseFacts(): SecureBootFacts['databases'] {
    const rows = databaseNames.flatMap(name => {
      const found = this.#only(vendorOf(name), name)
      const entries = this.#entries(name)
      if (found === undefined || entries === undefined) return []
      const sha256 = hash('sha256', found.variable.data)
      return [[name, { ...provenanceOf(found.event), sha256, entries: entries.map(entryFact) }]]
    })
    return Object.fromEntries(rows) as SecureBootFacts['databases']
  }

  #sbatLevel(): string | undefined {
    const [only] = this.#sbatLevels
    if (only === undefined || this.#sbatLevels.length > 1) return undefined
    return Buffer.from(only.data).toString('latin1').trim()
  }
}

function vendorOf(name: DatabaseName): string {
  return name === 'PK' || name === 'KEK' ? variableVendor.global : variableVendor.imageSecurity
}

/** GUID and two lengths of eight bytes. */
const shortestVariable = 32

function variableOf(data: Uint8Array): UefiVariable | undefined {
  if (data.length < shortestVariable) return undefined
  return unlessMalformed(() => parseUefiVariable(data))
}

function entriesOf(data: Uint8Array): readonly SignatureEntry[] | undefined {
  return unlessMalformed(() => parseSignatureLists(data))
}

function entryFact({ kind, owner, data }: SignatureEntry): DatabaseEntry {
  const isHash = kind === 'sha256' || kind === 'x509-sha256'
  const sha256 = isHash ? hexOf(data.subarray(0, 32)) : hash('sha256', data)
  return { kind, owner, sha256 }
}
