import type { HashAlgorithm } from '../tpm/algorithm.ts'
import type { Check } from '../verifier/check.ts'
import { BootImageWatch, type BootImage } from './boot-images.ts'
import { BootLoaderWatch, type BootLoaderFacts } from './boot-loader.ts'
import type { EventLogQuirk } from './explanation.ts'
import { FirmwareWatch, type FirmwareFacts } from './firmware.ts'
import { provenEvents } from './proven-event.ts'
import { SecureBootWatch, type SecureBootFacts } from './secure-boot.ts'
import type { Startup } from './startup.ts'
import { StructureWatch } from './structure.ts'
import { UnifiedKernelWatch, type UnifiedKernelFacts } from './unified-kernel.ts'
import type { VerifiedEventLog } from './verify.ts'

/**
 * What a boot was, as far as it can be proven: drawn from PCRs that the quote has shown, with data believed only where
 * a digest covers it. Members called hint or claim are the log's word alone. Plain data, fit for JSON.
 */
export interface BootFacts {
  /** Bank that all digests here are of. */
  readonly bank: HashAlgorithm['name']
  readonly startup: Startup
  /**
   * PCRs that the log explains, ascending. Nothing here speaks of others: a fact that is absent means something only if
   * its PCR is among these.
   */
  readonly provenPcrs: readonly number[]
  /** Quoted PCRs that hold more than any log explains. */
  readonly unexplainedPcrs: readonly number[]
  readonly quirks: readonly EventLogQuirk[]
  readonly firmware: FirmwareFacts
  readonly secureBoot: SecureBootFacts
  readonly images: readonly BootImage[]
  readonly bootLoader: BootLoaderFacts
  /** Undefined where no unified kernel image was started. */
  readonly unifiedKernel: UnifiedKernelFacts | undefined
  /** Rules on the order and form of events: one that fails does not refuse the Evidence, a policy decides. */
  readonly checks: readonly Check[]
}

/**
 * Draws the facts of a boot from its verified log, in one pass.
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §3.3.4; verification L1, L5, L8, L13, L15
 */
export function deriveFacts(verified: VerifiedEventLog): BootFacts {
  const watches = {
    structure: new StructureWatch(),
    firmware: new FirmwareWatch(),
    secureBoot: new SecureBootWatch(),
    images: new BootImageWatch(),
    bootLoader: new BootLoaderWatch(),
    unifiedKernel: new UnifiedKernelWatch(),
  }
  const all = Object.values(watches)
  for (const event of provenEvents(verified)) for (const watch of all) watch.see(event)
  return { ...standingOf(verified), ...resultsOf(watches, verified) }
}

function standingOf(
  verified: VerifiedEventLog,
): Pick<BootFacts, 'bank' | 'startup' | 'provenPcrs' | 'unexplainedPcrs' | 'quirks'> {
  const bank = verified.bank.name
  const rows = verified.pcrs.filter(row => row.bank === bank)
  const unexplained = rows.filter(({ by }) => by === 'unexplained').map(({ pcr }) => pcr)
  const proven = rows.filter(({ by }) => by !== 'unexplained').map(({ pcr }) => pcr)
  return {
    bank,
    startup: verified.log.startup,
    provenPcrs: ascending(proven),
    unexplainedPcrs: ascending(unexplained),
    quirks: verified.quirks,
  }
}

function resultsOf(
  watches: {
    structure: StructureWatch
    firmware: FirmwareWatch
    secureBoot: SecureBootWatch
    images: BootImageWatch
    bootLoader: BootLoaderWatch
    unifiedKernel: UnifiedKernelWatch
  },
  verified: VerifiedEventLog,
): Pick<
  BootFacts,
  'firmware' | 'secureBoot' | 'images' | 'bootLoader' | 'unifiedKernel' | 'checks'
> {
  const firmware = watches.firmware.result(verified.isProven(5))
  const secureBoot = watches.secureBoot.result()
  const images = watches.images.result(verified.isProven(4))
  const structure = watches.structure.checks(pcr => verified.isProven(pcr))
  return {
    firmware: firmware.facts,
    secureBoot: secureBoot.facts,
    images: images.facts,
    bootLoader: watches.bootLoader.result(),
    unifiedKernel: watches.unifiedKernel.result(pcr => verified.isProven(pcr)),
    checks: [...structure, ...secureBoot.checks, ...images.checks, ...firmware.checks],
  }
}

function ascending(pcrs: readonly number[]): number[] {
  return pcrs.toSorted((left, right) => left - right)
}
