import { createHash } from 'node:crypto'
import test from 'ava'
import { Tpm, type TpmHandle } from '../../native/index.ts'
import { createAttestationKey } from '../../src/attester/attestation-key.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { createQuote } from '../../src/attester/quote.ts'
import { parseTpmsAttest, TPM_ST_ATTEST } from '../../src/core/tpm/attest.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { octets } from './native-fixtures.ts'

const bench = await startTestBench()
test.after.always(async () => await bench.stop())

const audience = { issuer: 'https://assay.example', fingerprint: `sha256:${'ab'.repeat(32)}` }
const nonce = Buffer.alloc(32, 7)

async function withAttestationKey(tpm: Tpm, use: (key: TpmHandle) => Promise<void>): Promise<void> {
  const created = await createAttestationKey(tpm, audience)
  await tpm.withHandle(created.handle, use)
}

/** The commands that a quote needs, with something done after each quote. */
function meddling(tpm: Tpm, afterQuote: (count: number) => Promise<void>): Tpm {
  let count = 0
  const commands: Pick<Tpm, 'pcrBanks' | 'quote' | 'pcrRead'> = {
    pcrBanks: async () => await tpm.pcrBanks(),
    pcrRead: async selection => await tpm.pcrRead(selection),
    quote: async args => {
      const quoted = await tpm.quote(args)
      await afterQuote((count += 1))
      return quoted
    },
  }
  return commands as Tpm
}

const extension = Buffer.concat([octets('00000001 000b'), Buffer.alloc(32, 1)])

test.serial('quotes with the values that were quoted, in any order asked for', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await withAttestationKey(tpm, async signer => {
    const quote = await createQuote(tpm, { signer, pcrs: [23, 0, 7], qualifyingData: nonce })
    t.deepEqual([...quote.pcrs.keys()], [0, 7, 23])
    const attest = parseTpmsAttest(quote.attest)
    if (attest.attested.type !== TPM_ST_ATTEST.quote) throw new Error('not a quote')
    t.deepEqual(attest.attested.pcrSelect, [{ hash: 0x000b, pcrs: [0, 7, 23] }])
    const digest = createHash('sha256')
      .update(Buffer.concat([...quote.pcrs.values()]))
      .digest()
    t.deepEqual(Buffer.from(attest.attested.pcrDigest), digest)
    t.deepEqual(Buffer.from(attest.extraData), nonce)
  })
})

test.serial('quotes again when a PCR is extended between quote and reading', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await withAttestationKey(tpm, async signer => {
    let quotes = 0
    const watched = meddling(tpm, async count => {
      quotes = count
      if (count <= 2) await tpm.pcrExtend({ pcr: 23, digests: extension })
    })
    const quote = await createQuote(watched, { signer, pcrs: [23], qualifyingData: nonce })
    t.is(quotes, 3)
    const { digests } = await tpm.pcrRead(octets('00000001 000b 03 000080'))
    t.deepEqual(quote.pcrs.get(23), digests[0])
  })
})

test.serial('gives up when the PCRs never hold still', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await withAttestationKey(tpm, async signer => {
    const watched = meddling(tpm, async () => await tpm.pcrExtend({ pcr: 23, digests: extension }))
    const attempt = createQuote(watched, { signer, pcrs: [23], qualifyingData: nonce })
    t.is((await t.throwsAsync(attempt, { instanceOf: AttesterError })).code, 'quote-unsteady')
  })
})

test.serial('says that the SHA-256 bank is not active', async t => {
  const own = await startTestBench({ pcrBanks: 'sha384' })
  await using tpm = await Tpm.open(own.tcti)
  await withAttestationKey(tpm, async signer => {
    const attempt = createQuote(tpm, { signer, pcrs: [0], qualifyingData: nonce })
    const error = await t.throwsAsync(attempt, { instanceOf: AttesterError })
    t.is(error.code, 'pcr-bank-inactive')
    t.regex(error.found ?? '', /^0xc: 0 1 2/)
  })
  await tpm.close()
  await own.stop()
})
