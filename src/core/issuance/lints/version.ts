import { hexOf, type FormLint } from '../lint.ts'

/** Version 3, since there are extensions. */
export const version: FormLint = {
  code: 'lint-version',
  summary: 'The certificate is not of version 3.',
  source: 'RFC 5280 §4.1.2.1',
  find: form =>
    form.version?.length === 1 && form.version[0] === 2
      ? undefined
      : hexOf(form.version ?? Uint8Array.of()) || 'no version',
}
