// `npm run bench`: what an answer costs beside the cryptography in it, both taken in one run on one machine.
//   --json             one object and nothing else
//   --profile FOLDER   CPU profiles of the service's process, for Chrome's or Node's viewer
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printRates } from './rate.ts'
import { benchService } from './service.ts'

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, profile: { type: 'string' } },
})
const flags = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]
const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
try {
  const { token, tokenTwoSignatures, certificate } = await benchService(folder, flags)
  if (values.json) console.log(JSON.stringify({ token, tokenTwoSignatures, certificate }))
  else {
    printRates([
      { name: 'token, authenticated by its proof', rate: token },
      { name: 'token, with private_key_jwt beside the proof', rate: tokenTwoSignatures },
      { name: 'certificate, renewed', rate: certificate },
    ])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
