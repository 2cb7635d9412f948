import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HomeError } from './home-error.ts'
import { parseRecord, type HomeRecord } from './home-record.ts'
import { findBundle, rootsOf } from './kept-bundle.ts'
import { decodePem, encodePem } from './pem.ts'
import { fingerprintOf } from './pinned-tls.ts'
import {
  createPrivateFile,
  ensurePrivateDirectory,
  PrivateFileError,
  readPrivateFile,
  replacePrivateFile,
} from './private-file.ts'

/** The service that a home belongs to. */
export interface KnownService {
  readonly issuer: string
  /** DER. The root by which it was known first. */
  readonly root: Uint8Array
  /** DER. What connections are verified against, once a trust bundle is kept; the root alone before. */
  readonly roots?: readonly Uint8Array[]
  /** Verifier key of the audit log (C2SP signed-note), once it is pinned. */
  readonly logKey?: string
}

/** An operator, and where its key is. */
export interface OperatorIdentity extends HomeRecord<'id' | 'clientId' | 'key'> {}

/** The enrolled host. File names are relative to the home: TSS2 PRIVATE KEY, certificate chain in PEM. */
export interface HostIdentity extends HomeRecord<
  'id' | 'spiffeId' | 'name' | 'keyFile' | 'certificateFile'
> {}

/** An agent of this host. */
export interface AgentIdentity extends HomeRecord<
  'id' | 'spiffeId' | 'className' | 'keyFile' | 'certificateFile'
> {}

const serviceMembers = ['issuer', 'fingerprint', 'logKey'] as const
const operatorMembers = ['id', 'clientId', 'key'] as const
const hostMembers = ['id', 'spiffeId', 'name', 'keyFile', 'certificateFile'] as const
const agentMembers = ['id', 'spiffeId', 'className', 'keyFile', 'certificateFile'] as const

const files = {
  service: 'service.json',
  root: 'root.pem',
  operator: 'operator.json',
  host: 'host.json',
  agents: 'agents',
} as const

/**
 * The directory in which a client keeps which service it trusts and who it is there; directories 0700, files 0600.
 * One home belongs to one service; it may be operator and host at once.
 */
export class Home {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /**
   * Opens a home, and makes the directory where there is none.
   *
   * @throws PrivateFileError `private-file-missing`, `private-file-exposed`
   */
  static async open(directory: string): Promise<Home> {
    await ensurePrivateDirectory(directory)
    await ensurePrivateDirectory(join(directory, files.agents))
    return new Home(directory)
  }

  /** The service of this home. Throws HomeError `home-empty` where there is none yet. */
  async loadService(): Promise<KnownService> {
    const service = await this.findService()
    if (service === undefined) throw new HomeError('home-empty', { found: this.directory })
    return service
  }

  /** The service of this home, or undefined. Throws HomeError `home-malformed`. */
  async findService(): Promise<KnownService | undefined> {
    const record = await this.#readRecord(files.service, serviceMembers, ['logKey'])
    if (record === undefined) return undefined
    const root = decodePem(await this.readText(files.root), ['CERTIFICATE'])
    if (root === undefined || fingerprintOf(root) !== record.fingerprint)
      throw new HomeError('home-malformed', { found: this.path(files.root) })
    const { issuer, logKey } = record
    const kept = await findBundle(this)
    return {
      issuer,
      root,
      ...(kept === undefined ? {} : { roots: rootsOf(kept.bundle) }),
      ...(logKey === '' ? {} : { logKey }),
    }
  }

  /** Keeps the service of this home. Throws HomeError `home-other-service` where it belongs to another. */
  async saveService(service: KnownService): Promise<void> {
    const known = await this.findService()
    if (known !== undefined) requireSame(known, service)
    const { issuer } = service
    // The root by which the service was known first stays: what is derived from it stays with it.
    const { root } = known ?? service
    const logKey = service.logKey ?? known?.logKey ?? ''
    await this.writeText(files.root, encodePem('CERTIFICATE', root))
    await this.#writeRecord(files.service, { issuer, fingerprint: fingerprintOf(root), logKey })
  }

  /** The operator of this home, or undefined. Throws HomeError `home-malformed`. */
  async findOperator(): Promise<OperatorIdentity | undefined> {
    return await this.#readRecord(files.operator, operatorMembers)
  }

  async saveOperator(operator: OperatorIdentity): Promise<void> {
    await this.#writeRecord(files.operator, operator)
  }

  /** The host that this machine is, or undefined. Throws HomeError `home-malformed`. */
  async findHost(): Promise<HostIdentity | undefined> {
    return await this.#readRecord(files.host, hostMembers)
  }

  async saveHost(host: HostIdentity): Promise<void> {
    await this.#writeRecord(files.host, host)
  }

  /** The agents that were created here, in the order of their ids. */
  async listAgents(): Promise<AgentIdentity[]> {
    const names = await readdir(this.path(files.agents))
    const ids = names.filter(name => name.endsWith('.json')).map(name => name.slice(0, -5))
    const agents = await Promise.all(ids.toSorted().map(async id => await this.findAgent(id)))
    return agents.filter(agent => agent !== undefined)
  }

  /** One agent of this home, or undefined. Throws HomeError `home-malformed`. */
  async findAgent(id: string): Promise<AgentIdentity | undefined> {
    return isId(id) ? await this.#readRecord(agentFile(id), agentMembers) : undefined
  }

  /** Throws HomeError `home-malformed` for an id that names no file. */
  async saveAgent(agent: AgentIdentity): Promise<void> {
    if (!isId(agent.id)) throw new HomeError('home-malformed', { found: 'the id of an agent' })
    await this.#writeRecord(agentFile(agent.id), agent)
  }

  /** Where a file of this home lies. Throws HomeError `home-malformed` for a name that leads out of it. */
  path(name: string): string {
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$/.test(name))
      throw new HomeError('home-malformed', { found: name.slice(0, 100) })
    return join(this.directory, name)
  }

  /** The text of a file. Throws PrivateFileError `private-file-…`. */
  async readText(name: string): Promise<string> {
    return await readPrivateFile(this.path(name))
  }

  /** Writes a file in the place of what was there, durable and at once. */
  async writeText(name: string, text: string): Promise<void> {
    await replacePrivateFile(this.path(name), text)
  }

  /** Writes a file that must be new: a key. Throws PrivateFileError `private-file-exists`. */
  async createText(name: string, text: string): Promise<void> {
    await createPrivateFile(this.path(name), text)
  }

  /** Names of the files of this home that have such a name, sorted. */
  async list(pattern: RegExp): Promise<string[]> {
    return (await readdir(this.directory)).filter(name => pattern.test(name)).toSorted()
  }

  /** Removes a file, where there is one. */
  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true })
  }

  async #readRecord<Member extends string>(
    name: string,
    members: readonly Member[],
    optional: readonly Member[] = [],
  ): Promise<HomeRecord<Member> | undefined> {
    const text = await this.readIfThere(name)
    return text === undefined ? undefined : parseRecord(text, this.path(name), members, optional)
  }

  /** The text of a file, or undefined where there is none. */
  async readIfThere(name: string): Promise<string | undefined> {
    try {
      return await this.readText(name)
    } catch (error) {
      const cause = error instanceof PrivateFileError ? error.cause : undefined
      if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
      throw error
    }
  }

  async #writeRecord(name: string, record: object): Promise<void> {
    await this.writeText(name, `${JSON.stringify(record, undefined, 2)}\n`)
  }
}

/** Names of the files of an agent's key and certificate. */
export function agentFiles(id: string): {
  readonly keyFile: string
  readonly certificateFile: string
} {
  return { keyFile: `${files.agents}/${id}.key.pem`, certificateFile: `${files.agents}/${id}.pem` }
}

/** Names of the files of the host's key and certificate. */
export const hostFiles = { keyFile: 'host.key.pem', certificateFile: 'host.pem' } as const

/** Where the client attestations of the host and of an agent are kept. */
export const hostAttestationFile = 'host.attestation.jwt'

export function agentAttestationFile(id: string): string {
  return `${files.agents}/${id}.attestation.jwt`
}

/** Name of the file of what a vendor attested of the key in a key file. */
export function vendorWordFileOf(keyFile: string): string {
  return keyFile.replace(/\.key\.pem$/, '.vendor.pem')
}

function agentFile(id: string): string {
  return `${files.agents}/${id}.json`
}

function isId(id: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(id)
}

function requireSame(known: KnownService, given: KnownService): void {
  const roots = [known.root, ...(known.roots ?? [])].map(fingerprintOf)
  const isSame = known.issuer === given.issuer && roots.includes(fingerprintOf(given.root))
  const isSameLog = known.logKey === undefined || known.logKey === (given.logKey ?? known.logKey)
  if (!isSame || !isSameLog) {
    throw new HomeError('home-other-service', {
      expected: `${known.issuer} ${fingerprintOf(known.root)}`,
      found: `${given.issuer} ${fingerprintOf(given.root)}`,
    })
  }
}
