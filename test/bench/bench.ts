// `npm run bench`: what an answer costs beside the cryptography in it, both taken in one run on one machine.
//   --json             one object and nothing else
//   --profile FOLDER   CPU profiles of the service's process, for Chrome's or Node's viewer
//   service, policies, appraisal, ima, rotation, revocation: these parts alone
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchAppraisal } from './appraisal.ts'
import { benchIma } from './ima.ts'
import { printRates, type Rate } from './rate.ts'
import { benchRevocation, printRevocation } from './revocation.ts'
import { benchRotation, printRotation } from './rotation.ts'
import { benchPolicyTokens, benchService } from './service.ts'

/** What each member of the result is, in words. */
const names: Readonly<Record<string, string>> = {
  token: 'token, authenticated by its proof',
  tokenWithPolicies: 'token, with 1,000 policies in force',
  tokenTwoSignatures: 'token, with private_key_jwt beside the proof',
  certificate: 'certificate, renewed',
  appraisal: 'Evidence with a log of 200 events, appraised',
  ima: 'IMA list of 50,000 entries, replayed',
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, profile: { type: 'string' } },
  allowPositionals: true,
})
const isWanted = (part: string): boolean => positionals.length === 0 || positionals.includes(part)

async function run(): Promise<Record<string, Rate>> {
  return {
    ...(isWanted('service') ? await inFolder(benchService) : {}),
    ...(isWanted('policies') ? { tokenWithPolicies: await inFolder(benchPolicyTokens) } : {}),
    ...(isWanted('appraisal') ? { appraisal: benchAppraisal() } : {}),
    ...(isWanted('ima') ? { ima: benchIma() } : {}),
  }
}

async function inFolder<T>(
  bench: (folder: string, flags: readonly string[]) => Promise<T>,
): Promise<T> {
  const { profile } = values
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    return await bench(folder, flags)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const rates = await run()
const rotation = isWanted('rotation') ? await benchRotation() : undefined
const revocation = isWanted('revocation') ? await benchRevocation() : undefined
if (values.json)
  console.log(
    JSON.stringify({ ...rates, ...(rotation && { rotation }), ...(revocation && { revocation }) }),
  )
else {
  printRates(Object.entries(rates).map(([part, rate]) => ({ name: names[part] ?? part, rate })))
  if (rotation !== undefined) printRotation(rotation)
  if (revocation !== undefined) printRevocation(revocation)
}
