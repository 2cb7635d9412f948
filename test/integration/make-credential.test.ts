import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import {
  activateWithEndorsementPolicy,
  Hierarchy,
  Tpm,
  Tpm2Error,
  type TpmHandle,
} from '../../native/index.ts'
import { TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT } from '../../src/core/tpm/attributes.ts'
import { makeCredential, type ProtectedCredential } from '../../src/core/tpm/make-credential.ts'
import {
  encodeTpmtPublic,
  nameOf,
  parseTpmtPublic,
  qualifiedNameOf,
} from '../../src/core/tpm/public.ts'
import {
  attestationKeyTemplate,
  endorsementTemplates,
  matchEndorsementTemplate,
} from '../../src/core/tpm/templates.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { primary } from './native-fixtures.ts'

const bench = await startTestBench()
test.after.always(async () => await bench.stop())

/** What a TPM may say to a template that it does not implement. */
const notImplemented = ['TPM_RC_CURVE', 'TPM_RC_VALUE', 'TPM_RC_KEY_SIZE', 'TPM_RC_HASH']
/** Those that every TPM of the profile implements: a TPM without them fails the test. */
const mandatory = ['L-1', 'L-2', 'H-1', 'H-2', 'H-3']

for (const { name, public: template } of endorsementTemplates) {
  test.serial(
    `a TPM with a key by ${name} recovers what was made for it, and nothing else`,
    async t => {
      await using tpm = await Tpm.open(bench.tcti)
      const handle = await createEndorsementKey(t, tpm, name, encodeTpmtPublic(template))
      if (handle === undefined) {
        t.pass()
        return
      }
      await using key = handle
      for (const nameAlg of [TPM_ALG.SHA256, TPM_ALG.SHA384])
        await recovers(t, tpm, key, attestationTemplate(nameAlg))
    },
  )
}

async function createEndorsementKey(
  t: ExecutionContext,
  tpm: Tpm,
  name: string,
  template: Uint8Array,
): Promise<TpmHandle | undefined> {
  try {
    return await primary(tpm, template, Hierarchy.endorsement)
  } catch (error) {
    const isMissing = error instanceof Tpm2Error && notImplemented.includes(error.symbol ?? '')
    if (!isMissing || mandatory.includes(name)) throw error
    t.log(`this TPM does not make keys by ${name}: ${error.symbol}`)
    return undefined
  }
}

function attestationTemplate(nameAlg: number): Uint8Array {
  const area = parseTpmtPublic(attestationKeyTemplate(randomBytes(32)))
  return encodeTpmtPublic({ ...area, nameAlg })
}

async function recovers(
  t: ExecutionContext,
  tpm: Tpm,
  key: TpmHandle,
  template: Uint8Array,
): Promise<void> {
  await using activate = await primary(tpm, template, Hierarchy.endorsement)
  const { public: bytes } = await tpm.readPublic(key)
  const { public: activated, qualifiedName } = await tpm.readPublic(activate)
  const name = nameOf(activated)
  t.deepEqual(Buffer.from(name), Buffer.from(activate.name))
  t.deepEqual(Buffer.from(qualifiedNameOf('endorsement', name)), Buffer.from(qualifiedName))
  const area = parseTpmtPublic(bytes)
  t.not(matchEndorsementTemplate(area), undefined)
  const isByPolicy = (area.objectAttributes & TPMA_OBJECT.userWithAuth) === 0
  const activateWith = async (credential: ProtectedCredential): Promise<Uint8Array> => {
    const request = { activate, key, ...credential }
    if (!isByPolicy) return await tpm.activateCredential(request)
    return await activateWithEndorsementPolicy(tpm, request, { nameAlg: area.nameAlg })
  }
  const secret = randomBytes(32)
  const credential = makeCredential(area, name, secret, randomBytes)
  t.deepEqual(Buffer.from(await activateWith(credential)), secret)
  for (const changed of changes(
    credential,
    makeCredential(area, nameOf(bytes), secret, randomBytes),
  ))
    await t.throwsAsync(activateWith(changed), { instanceOf: Tpm2Error })
}

/** One bit of each field turned round, and a credential for another Name. */
function changes(
  { credentialBlob, encryptedSecret }: ProtectedCredential,
  other: ProtectedCredential,
): ProtectedCredential[] {
  return [
    { credentialBlob: flipped(credentialBlob, 2), encryptedSecret },
    { credentialBlob: flipped(credentialBlob, credentialBlob.length - 1), encryptedSecret },
    { credentialBlob, encryptedSecret: flipped(encryptedSecret, encryptedSecret.length - 1) },
    other,
  ]
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
  return changed
}
