import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createManufacturer } from '../../swtpm/manufacturer.ts'
import { manufactureTpm, startTpm } from '../../swtpm/software-tpm.ts'
import { createStage, type Ended } from './cli-fixtures.ts'

const home = await createPrivateDirectory('assay-rollback')
const dir = join(home, 'state')
const manufacturer = await createManufacturer(join(home, 'manufacturer'))
await manufactureTpm({ dir, manufacturer, endorsementKeys: ['ecc-p256'] })
let tpm = await startTpm({ dir })

const stage = await createStage()
const { assay, directory, issuer } = stage
const made = await assay(['init', '--issuer', issuer, '--allow-emulated', '--json'])
const fingerprint = String((made.json() as Record<string, unknown>)['fingerprint'])
await stage.serve()

test.after.always(async () => {
  await stage.close()
  await tpm.stop()
  discardDirectory(home)
})

async function enroll(): Promise<Ended> {
  const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint, '--name', 'web-1']
  return await assay([...command, '--json'], { home: 'host', env: { ASSAY_TCTI: tpm.tcti } })
}

interface Platform {
  readonly resetCount: number
  readonly reboots: number
}

function platformOf(ended: Ended): Platform {
  const { attestationResult } = ended.json() as unknown as {
    attestationResult: { platform: Platform }
  }
  return attestationResult.platform
}

let first: Platform = { resetCount: 0, reboots: 0 }

test.serial('a machine enrols', async t => {
  const anchor = join(directory, 'root.pem')
  await writeFile(anchor, manufacturer.rootCertificate)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  t.is((await assay(['anchor', 'add', anchor, ...labels])).status, 0)
  const enrolled = await enroll()
  t.is(enrolled.status, 0, enrolled.stderr)
  first = platformOf(enrolled)
  t.is(first.reboots, 0)
})

test.serial('reboots, in order or by a power cut, are counted and are no rollback', async t => {
  for (const [how, reboots] of [
    ['orderly', 1],
    ['abrupt', 2],
  ] as const) {
    await tpm.reset(how)
    const again = await enroll()
    t.is(again.status, 0, again.stderr)
    t.deepEqual(
      [platformOf(again).resetCount, platformOf(again).reboots],
      [first.resetCount + reboots, reboots],
    )
  }
})

test.serial('a TPM that was restored from a copy is found out and its host revoked', async t => {
  await tpm.stop()
  const copy = join(home, 'copy')
  await cp(dir, copy, { recursive: true })
  tpm = await startTpm({ dir })
  await tpm.reset()
  await tpm.reset()
  const ahead = await enroll()
  t.is(ahead.status, 0, ahead.stderr)
  await tpm.stop()
  await rm(dir, { recursive: true })
  await cp(copy, dir, { recursive: true })
  tpm = await startTpm({ dir })
  const restored = await enroll()
  t.is(restored.status, 1)
  t.is(restored.code, 'attestation-rollback')
  const listed = await assay(['host', 'list', '--json'])
  t.like(listed.json()['hosts'], [
    { status: 'revoked', revocationReason: 'rollback of the TPM: state-reset-count' },
  ])
  t.is((await enroll()).code, 'host-revoked')
})
