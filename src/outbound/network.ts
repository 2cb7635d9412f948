import { lookup } from 'node:dns/promises'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { isPublicAddress } from './address-rule.ts'

/** Where a connection goes. */
export interface Endpoint {
  /** The address that was checked; the name is not resolved again. */
  readonly address: string
  readonly port: number
  /** The name, which a certificate of the server must have. */
  readonly host: string
  readonly isTls: boolean
}

/** All that is asked of a network, with the rule of which addresses are connected to. */
export interface Network {
  /** Every address of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  readonly isAllowed: (address: string) => boolean
  readonly connect: (endpoint: Endpoint) => Duplex
}

/** The Internet, and nothing of the networks that this machine stands in. */
export const internet: Network = {
  resolve: async host => (await lookup(host, { all: true })).map(({ address }) => address),
  isAllowed: isPublicAddress,
  connect: ({ address, port, host, isTls }) =>
    isTls
      ? connectTls({ host: address, port, servername: host, minVersion: 'TLSv1.2' })
      : connectTcp({ host: address, port }),
}
