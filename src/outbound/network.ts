import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect as connectTls, type DetailedPeerCertificate } from 'node:tls'
import { isPublicAddress } from './address-rule.ts'

/** How a server shows who it is, where it is not by a name and the authorities that this machine knows. */
export interface ServerAuthentication {
  /** PEM; these and no others are believed. */
  readonly authorities: readonly string[]
  /**
   * Throws where the chain (DER, the server's own certificate first), which stands under the authorities, is not that
   * of whom is meant. Where it is not there, the name decides.
   */
  readonly verify?: (chain: readonly Uint8Array[]) => void
}

/** Where a connection goes. */
export interface Endpoint {
  /** The address that was checked; the name is not resolved again. */
  readonly address: string
  readonly port: number
  /** The name, which a certificate of the server must have. */
  readonly host: string
  readonly isTls: boolean
  readonly authentication?: ServerAuthentication | undefined
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
  connect: endpoint => {
    const { address, port, host, isTls, authentication } = endpoint
    if (!isTls) return connectTcp({ host: address, port })
    const how = authentication === undefined ? {} : optionsOf(authentication)
    // TLS names no server by its address (RFC 6066 §3).
    const name = isIP(host) === 0 ? { servername: host } : {}
    return connectTls({ host: address, port, ...name, minVersion: 'TLSv1.2', ...how })
  },
}

/** All networks that this machine reaches: for names that an operator chose, and nobody else. */
export const anyNetwork: Network = { ...internet, isAllowed: () => true }

function optionsOf({ authorities, verify }: ServerAuthentication): object {
  return {
    ca: [...authorities],
    // An authority need not be a root (X509-SVID §6.1).
    allowPartialTrustChain: true,
    checkServerIdentity: (name: string, certificate: DetailedPeerCertificate) => {
      if (verify === undefined) return checkServerIdentity(name, certificate)
      try {
        verify(chainOf(certificate))
        return undefined
      } catch (cause) {
        return cause as Error
      }
    },
  }
}

const longestChain = 10

/** The last one of a chain names itself as its issuer. */
function chainOf(certificate: DetailedPeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = []
  let next: DetailedPeerCertificate | undefined = certificate
  while (next?.raw !== undefined && chain.length < longestChain) {
    const { raw, issuerCertificate }: DetailedPeerCertificate = next
    chain.push(raw)
    next = issuerCertificate === next ? undefined : issuerCertificate
  }
  return chain
}
