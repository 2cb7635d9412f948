import { readFile } from 'node:fs/promises'
import { defineCommand, type CommandRow } from './command.ts'
import { renderFacts } from './table.ts'

/** `assay version` */
export const versionCommand: CommandRow = defineCommand({
  name: 'version',
  summary: 'Prints the version of Assay and of what it runs on.',
  examples: ['assay version --json'],
  run: async () => {
    const manifest = new URL('../../package.json', import.meta.url)
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
    const { node, openssl } = process.versions
    return {
      json: { assay: version, node, openssl, platform: process.platform, arch: process.arch },
      lines: renderFacts([
        ['assay', version],
        ['node', node],
        ['openssl', openssl],
        ['platform', `${process.platform} ${process.arch}`],
      ]),
    }
  },
})
