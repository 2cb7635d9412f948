import type { FormLint } from '../lint.ts'

/** No extension occurs twice. */
export const duplicateExtension: FormLint = {
  code: 'lint-duplicate-extension',
  summary: 'An extension occurs twice.',
  source: 'RFC 5280 §4.2',
  find: ({ extensions }) =>
    extensions.find(({ id }, index) => extensions.findIndex(other => other.id === id) !== index)
      ?.id,
}
