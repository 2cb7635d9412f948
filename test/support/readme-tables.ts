import type { Endpoint } from '../../src/http/endpoint.ts'

/** The API as a table of the README. */
export function endpointTable(endpoints: readonly Endpoint[]): string {
  const rows = endpoints.map(
    ({ method, path, scope, summary }) =>
      `| ${method} | \`${path}\` | ${scope === undefined ? '–' : `\`${scope}\``} | ${summary} |`,
  )
  return ['| | path | scope | |', '|---|---|---|---|', ...rows].join('\n')
}

/** The acts of the audit log as a sentence of the README. */
export function auditList(types: readonly string[]): string {
  return `Acts: ${types.map(type => `\`${type}\``).join(', ')}.`
}

/** A text with what stands between two marks replaced. Throws TypeError where the marks are not there. */
export function fillSection(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new TypeError(`no section ${name}`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}
