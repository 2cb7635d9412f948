import { join } from 'node:path'
import test from 'ava'
import { HashAlgorithm, Hierarchy, Tpm, Tpm2Error } from '../../native/index.ts'
import type { TpmHandle } from '../../native/index.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { refusal, startProxy } from '../../swtpm/tpm-proxy.ts'
import { census, ecdsaSha256, empty, pcrSelection, primary, templates } from './native-fixtures.ts'

const operations = 20_000
const bench = await startTestBench()
const sockets = await createPrivateDirectory('soak')
test.after.always(async () => {
  await bench.stop()
  discardDirectory(sockets)
})

interface Bound {
  readonly tpm: Tpm
  readonly endorsementKey: TpmHandle
}

const digest = Buffer.alloc(32, 3)
const selection = pcrSelection(HashAlgorithm.sha256, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)

/** One of everything that a host does; each gives how many calls it made. The slower ones come less often. */
const steps: readonly ((bound: Bound) => Promise<number>)[] = [
  async ({ tpm }) => {
    await Promise.all(Array.from({ length: 20 }, async () => await tpm.getRandom(16)))
    return 20
  },
  async ({ tpm }) => {
    await Promise.all(Array.from({ length: 10 }, async () => await tpm.pcrRead(selection)))
    return 10
  },
  async ({ tpm }) => {
    await using parent = await primary(tpm, templates.storageParent)
    const made = await tpm.create({ parent, public: templates.signingKey })
    await using key = await tpm.load({ parent, ...made })
    await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
    await tpm.certify({ object: key, signer, qualifyingData: digest })
    await tpm.quote({ signer, qualifyingData: digest, pcrSelection: selection })
    await tpm.sign({ key, digest, scheme: ecdsaSha256 })
    await refused(primary(tpm, templates.signingKey)) // the fourth object
    return 11
  },
  async ({ tpm }) => {
    for (let i = 0; i < 10; i++) {
      await using session = await tpm.startPolicySession()
      await tpm.policySecret({ session, authority: Hierarchy.endorsement })
      await tpm.policyGetDigest(session)
      await refused(tpm.policyOr(session, [digest, digest]))
    }
    return 50
  },
  async ({ tpm, endorsementKey }) => {
    await tpm.getRandom(16, { protection: endorsementKey })
    await using protection = await tpm.startProtection(endorsementKey)
    for (let i = 0; i < 20; i++) await tpm.getRandom(16, { protection })
    return 23
  },
  async ({ tpm }) => {
    for (let i = 0; i < 10; i++) {
      await tpm.nvRead({ index: 0x01c00002 })
      await refused(tpm.nvRead({ index: 0x01800099 }))
      await tpm.hash({ data: Buffer.alloc(1500) })
      await refused(tpm.openHandle(0x81000099))
      await tpm.readClock()
    }
    return 50
  },
]

async function refused(attempt: Promise<unknown>): Promise<void> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof Tpm2Error) return
    throw error
  }
  throw new Error('the TPM was expected to refuse')
}

test.serial(
  `ends ${operations.toLocaleString('en')} mixed operations with the handles that it began with`,
  async t => {
    t.timeout(120_000)
    await using tpm = await Tpm.open(bench.tcti)
    const endorsementKey = await tpm.openHandle(0x81010001)
    t.deepEqual(await census(tpm), empty)
    let done = 0
    for (let i = 0; done < operations; i++) {
      done += (await steps[i % steps.length]?.({ tpm, endorsementKey })) ?? 0
    }
    t.true(done >= operations)
    t.deepEqual(await census(tpm), empty)
  },
)

test.serial(
  'ends the same with every thirteenth command refused and every seventh told to try again',
  async t => {
    t.timeout(120_000)
    const proxy = await startProxy({ target: bench.socketPath, path: join(sockets, 'tpm') })
    const tpm = await Tpm.open(proxy.tcti)
    const endorsementKey = await tpm.openHandle(0x81010001)
    const flushContext = 0x165
    let commands = 0
    proxy.options.answer = command => {
      commands++
      if (command.readUInt32BE(6) === flushContext) return undefined
      if (commands % 13 === 0) return refusal(0x101)
      return commands % 7 === 0 ? refusal(0x922) : undefined
    }
    let failures = 0
    for (let i = 0; i < 120; i++) {
      const step = steps[i % steps.length]
      await step?.({ tpm, endorsementKey }).catch((error: unknown) => {
        if (!(error instanceof Tpm2Error)) throw error
        failures++
      })
    }
    proxy.options.answer = undefined
    t.true(failures > 0)
    t.deepEqual(await census(tpm), empty)
    await tpm.close()
    await proxy.stop()
  },
)
