/** Fields that templates are made of (Linux Documentation/security/IMA-templates.rst). */
export type TemplateField = 'd-ng' | 'd-ngv2' | 'n-ng' | 'sig' | 'buf' | 'd-modsig' | 'modsig'

/** How the data of an entry is laid out. `ima` has a form of its own: a bare SHA-1 digest and a name. */
export interface Template {
  readonly name: string
  /** Empty for `ima`. */
  readonly fields: readonly TemplateField[]
}

/** The templates of Linux that Assay reads. One without a row is refused. */
export const templates: readonly Template[] = [
  { name: 'ima-ng', fields: ['d-ng', 'n-ng'] },
  { name: 'ima-sig', fields: ['d-ng', 'n-ng', 'sig'] },
  { name: 'ima-ngv2', fields: ['d-ngv2', 'n-ng'] },
  { name: 'ima-sigv2', fields: ['d-ngv2', 'n-ng', 'sig'] },
  { name: 'ima-buf', fields: ['d-ng', 'n-ng', 'buf'] },
  { name: 'ima-modsig', fields: ['d-ng', 'n-ng', 'sig', 'd-modsig', 'modsig'] },
  { name: 'ima', fields: [] },
]

const encoded = templates.map(template => ({ template, bytes: Buffer.from(template.name) }))

/** The template whose name stands in `bytes` from `start` to `end`; undefined for an unknown one. */
export function templateAt(bytes: Uint8Array, start: number, end: number): Template | undefined {
  const length = end - start
  return encoded.find(row => row.bytes.length === length && isAt(bytes, start, row.bytes))?.template
}

function isAt(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i += 1) if (bytes[start + i] !== expected[i]) return false
  return true
}
