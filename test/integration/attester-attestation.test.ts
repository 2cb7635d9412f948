import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { HandleRange, Tpm, type TpmHandle } from '../../native/index.ts'
import { activateCredential } from '../../src/attester/activation.ts'
import { attestationSalt, createAttestationKey } from '../../src/attester/attestation-key.ts'
import { openEndorsement } from '../../src/attester/endorsement.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { createSubjectKey } from '../../src/attester/subject-key.ts'
import { openTpmKey } from '../../src/attester/tpm-key.ts'
import { parseTpmsAttest, TPM_ST_ATTEST } from '../../src/core/tpm/attest.ts'
import { makeCredential } from '../../src/core/tpm/make-credential.ts'
import { nameOf, parseTpmtPublic, qualifiedNameOf } from '../../src/core/tpm/public.ts'
import { isSignedBy, keyObjectOf, parseTpmtSignature } from '../../src/core/tpm/signature.ts'
import { certifyBinding } from '../../src/core/verifier/transcript.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../../src/core/x509/certification-request.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { run } from '../../swtpm/programs.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import { census, empty } from './native-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256', 'rsa-3072'] })
const scratch = await createPrivateDirectory('attestation')
const bus: Buffer[] = []
const proxy = await startProxy({
  target: bench.socketPath,
  path: join(scratch, 'bus'),
  observe: (command, answer) => bus.push(command, answer),
})
test.beforeEach(() => bus.splice(0))
test.after.always(async () => {
  await proxy.stop()
  await bench.stop()
  discardDirectory(scratch)
})

const audience = { issuer: 'https://assay.example', fingerprint: `sha256:${'ab'.repeat(32)}` }
const nonce = Buffer.alloc(32, 7)

async function withAttestationKey<T>(
  tpm: Tpm,
  use: (key: TpmHandle, area: Uint8Array) => Promise<T>,
): Promise<T> {
  const created = await createAttestationKey(tpm, audience)
  return await tpm.withHandle(created.handle, async key => await use(key, created.public))
}

test.serial(
  'makes the same attestation key again, also after a reset, and another for another service',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const first = await withAttestationKey(tpm, async (_, area) => await Promise.resolve(area))
    await bench.reset()
    t.deepEqual(
      await withAttestationKey(tpm, async (_, area) => await Promise.resolve(area)),
      first,
    )
    for (const change of [
      { issuer: 'https://other.example' },
      { fingerprint: `sha256:${'cd'.repeat(32)}` },
    ]) {
      const other = await createAttestationKey(tpm, { ...audience, ...change })
      await tpm.flush(other.handle)
      t.notDeepEqual(other.public, first)
    }
    t.deepEqual(await census(tpm), empty)
  },
)

test.serial('makes the attestation key in the endorsement hierarchy', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await withAttestationKey(tpm, async (key, area) => {
    const { qualifiedName } = await tpm.readPublic(key)
    t.deepEqual(
      Buffer.from(qualifiedName),
      Buffer.from(qualifiedNameOf('endorsement', nameOf(area))),
    )
  })
})

test('salts services apart, whichever way issuer and fingerprint are cut', t => {
  const salts = [
    attestationSalt(audience),
    attestationSalt({ issuer: 'https://assay.example:', fingerprint: audience.fingerprint }),
    attestationSalt({ issuer: 'https://assay.exampl', fingerprint: `e${audience.fingerprint}` }),
  ]
  t.is(new Set(salts.map(salt => Buffer.from(salt).toString('hex'))).size, 3)
  t.is(salts[0]?.length, 32)
})

for (const template of ['L-1', 'L-2', 'H-3', 'H-6'] as const) {
  test.serial(
    `recovers the secret of a challenge for a ${template} key, unseen on the bus`,
    async t => {
      await using tpm = await Tpm.open(proxy.tcti)
      const endorsement = await openEndorsement(tpm, { template })
      await using _held = endorsement.handle
      await withAttestationKey(tpm, async (attestationKey, area) => {
        const secret = randomBytes(32)
        const credential = makeCredential(endorsement.area, nameOf(area), secret, randomBytes)
        const found = await activateCredential(tpm, { endorsement, attestationKey, credential })
        t.deepEqual(Buffer.from(found), secret)
        t.false(Buffer.concat(bus).includes(secret))
      })
      await tpm.flush(endorsement.handle)
      t.deepEqual(await census(tpm), empty)
    },
  )
}

test.serial('says that a challenge is not for the keys of this TPM', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const endorsement = await openEndorsement(tpm)
  const another = await openEndorsement(tpm, { template: 'H-3' })
  await withAttestationKey(tpm, async (attestationKey, area) => {
    const secret = randomBytes(32)
    const otherName = nameOf(endorsement.public)
    const credentials = [
      makeCredential(endorsement.area, otherName, secret, randomBytes),
      makeCredential(another.area, nameOf(area), secret, randomBytes),
    ]
    for (const credential of credentials) {
      const attempt = activateCredential(tpm, { endorsement, attestationKey, credential })
      t.is(
        (await t.throwsAsync(attempt, { instanceOf: AttesterError })).code,
        'challenge-unsolvable',
      )
    }
  })
  await tpm.flush(endorsement.handle)
  t.deepEqual(await census(tpm), empty)
})

test.serial('never salts a session with a key other than the certified one', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const endorsement = await openEndorsement(tpm)
  const another = await openEndorsement(tpm, { template: 'H-3' })
  await withAttestationKey(tpm, async (attestationKey, area) => {
    const credential = makeCredential(endorsement.area, nameOf(area), randomBytes(32), randomBytes)
    bus.splice(0)
    const exchanged = { ...endorsement, handle: another.handle }
    const attempt = activateCredential(tpm, { endorsement: exchanged, attestationKey, credential })
    t.is((await t.throwsAsync(attempt, { instanceOf: AttesterError })).code, 'salt-key-differs')
    t.is(bus.length, 0)
  })
  await tpm.flush(endorsement.handle)
})

test.serial(
  'asks for the value of the endorsement hierarchy where the policy of the key needs it',
  async t => {
    const own = await startTestBench()
    const auth = Buffer.from('endorsement value')
    await using tpm = await Tpm.open(own.tcti)
    const endorsement = await openEndorsement(tpm, { template: 'L-1' })
    const { handle: attestationKey, public: area } = await createAttestationKey(tpm, audience)
    await run('tpm2_changeauth', ['-T', own.tcti, '-c', 'endorsement', auth.toString()])
    const request = { endorsement, attestationKey }
    const secret = randomBytes(32)
    const credential = makeCredential(endorsement.area, nameOf(area), secret, randomBytes)
    const refused = activateCredential(tpm, { ...request, credential })
    t.is(
      (await t.throwsAsync(refused, { instanceOf: AttesterError })).code,
      'endorsement-authorization',
    )
    t.deepEqual(
      Buffer.from(await activateCredential(tpm, { ...request, credential, auth })),
      secret,
    )
    const keyless = createAttestationKey(tpm, audience)
    t.is(
      (await t.throwsAsync(keyless, { instanceOf: AttesterError })).code,
      'endorsement-authorization',
    )
    const again = await createAttestationKey(tpm, audience, {
      auth,
      protection: endorsement.handle,
    })
    t.deepEqual(again.public, area)
    await tpm.flush(attestationKey)
    await tpm.flush(again.handle)
    t.deepEqual(await census(tpm), empty)
    await tpm.close()
    await own.stop()
  },
)

test.serial('creates a subject key and certifies it for its request in one go', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const context = {
    purpose: 'agent',
    audience: audience.issuer,
    contextId: 'agent-1',
    nonce,
  } as const
  const [key, attestationArea] = await withAttestationKey(
    tpm,
    async (attestationKey, area) =>
      [await createSubjectKey(tpm, { attestationKey, context }), area] as const,
  )
  t.deepEqual(await census(tpm), empty)
  const subject = parseTpmtPublic(key.public)
  const request = parseCertificationRequest(key.csr)
  const publicKey = createPublicKey({
    key: Buffer.from(request.subjectPublicKeyInfo),
    format: 'der',
    type: 'spki',
  })
  t.true(keyObjectOf(subject)?.equals(publicKey))
  t.notThrows(() => verifyCertificationRequest(request, publicKey))
  const attest = parseTpmsAttest(key.certify.attest)
  const name = nameOf(key.public)
  t.deepEqual(
    Buffer.from(attest.extraData),
    Buffer.from(certifyBinding({ ...context, csr: key.csr, subjectName: name })),
  )
  if (attest.attested.type !== TPM_ST_ATTEST.certify) throw new Error('not a certification')
  t.deepEqual(Buffer.from(attest.attested.name), Buffer.from(name))
  const parent = qualifiedNameOf('owner', nameOf(key.parent.public))
  t.deepEqual(
    Buffer.from(attest.attested.qualifiedName),
    Buffer.from(qualifiedNameOf(parent, name)),
  )
  const signer = parseTpmtPublic(attestationArea)
  const signature = parseTpmtSignature(key.certify.signature)
  t.true(
    isSignedBy(
      signer,
      keyObjectOf(signer) as NonNullable<ReturnType<typeof keyObjectOf>>,
      key.certify.attest,
      signature,
    ),
  )
  const opened = await openTpmKey(tpm, key.pem)
  const message = Buffer.from('a message')
  t.true(
    verify(
      'sha256',
      message,
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      await opened.sign(message),
    ),
  )
  await opened.close()
  t.deepEqual(await census(tpm), empty)
})

test.serial('keeps nothing in the TPM: no persistent handle and no NV index appears', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const ranges = [HandleRange.persistent, HandleRange.nvIndex]
  const before = await Promise.all(ranges.map(async range => await tpm.handles(range)))
  const context = { purpose: 'host', audience: audience.issuer, contextId: 'x', nonce } as const
  await withAttestationKey(tpm, async attestationKey => {
    await createSubjectKey(tpm, { attestationKey, context })
  })
  const after = await Promise.all(ranges.map(async range => await tpm.handles(range)))
  t.deepEqual(after, before)
})
