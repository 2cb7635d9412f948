import { createRequire } from 'node:module'

/** What one command takes across the border: numbers, booleans, octets; `undefined` is absent. */
export type NativeArguments = Readonly<
  Record<string, number | boolean | Uint8Array | readonly Uint8Array[] | undefined>
>

/** The addon's object for one connection (src/connection.cc). */
export interface NativeConnection {
  close(): Promise<unknown>
  readonly open: NativeCommand
  readonly getCapability: NativeCommand
  readonly getRandom: NativeCommand
  readonly readClock: NativeCommand
  readonly openHandle: NativeCommand
  readonly flush: NativeCommand
  readonly readPublic: NativeCommand
  readonly createPrimary: NativeCommand
  readonly create: NativeCommand
  readonly load: NativeCommand
  readonly loadExternal: NativeCommand
  readonly evictControl: NativeCommand
  readonly startAuthSession: NativeCommand
  readonly policySecret: NativeCommand
  readonly policyPcr: NativeCommand
  readonly policyOr: NativeCommand
  readonly policyGetDigest: NativeCommand
  readonly activateCredential: NativeCommand
  readonly certify: NativeCommand
  readonly certifyCreation: NativeCommand
  readonly quote: NativeCommand
  readonly getTime: NativeCommand
  readonly pcrRead: NativeCommand
  readonly pcrExtend: NativeCommand
  readonly sign: NativeCommand
  readonly hash: NativeCommand
  readonly nvReadPublic: NativeCommand
  readonly nvRead: NativeCommand
  readonly nvWrite: NativeCommand
  readonly nvIncrement: NativeCommand
  readonly nvDefineSpace: NativeCommand
  readonly nvUndefineSpace: NativeCommand
  readonly nvCertify: NativeCommand
}

type NativeCommand = (this: NativeConnection, args: NativeArguments) => Promise<unknown>

/** The name of a command in the addon. */
export type NativeCommandName = Exclude<keyof NativeConnection, 'close'>

interface NativeOptions {
  readonly tcti: string
  readonly retries: number
  readonly timeoutMilliseconds: number
}

interface Binding {
  readonly Connection: new (options: NativeOptions) => NativeConnection
  peerCredentials(fd: number): { pid: number; uid: number; gid: number }
  endConnections(): void
}

/** The compiled addon, built by `native/setup.sh`. */
export const binding: Binding = createRequire(import.meta.url)(
  './build/Release/tpm2.node',
) as Binding

// A process that calls process.exit runs none of an addon's cleanup hooks: what is still held is flushed here.
process.on('exit', () => binding.endConnections())
