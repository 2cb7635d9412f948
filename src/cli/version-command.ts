import { readFileSync } from 'node:fs'
import { defineCommand, type CommandRow } from './command.ts'
import { renderFacts } from './table.ts'

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')

/** The version of this program. */
export const version: string = (JSON.parse(manifest) as { version: string }).version

/** `assay version` */
export const versionCommand: CommandRow = defineCommand({
  name: 'version',
  summary: 'Prints the version of Assay and of what it runs on.',
  examples: ['assay version --json'],
  run: async () => {
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
