import type { FormLint } from '../lint.ts'

/** Exactly the extensions of the profile, in its order, each critical or not as it says there. */
export const extensionSet: FormLint = {
  code: 'lint-extension-set',
  summary: 'The extensions are not exactly those of the profile.',
  source: 'ca/profiles; RFC 5280 §4.2',
  find: ({ extensions }, terms) => {
    const found = extensions.map(textOf).join(' ')
    return found === terms.extensions.map(textOf).join(' ') ? undefined : found
  },
}

function textOf({ id, isCritical }: { readonly id: string; readonly isCritical: boolean }): string {
  return isCritical ? `${id}!` : id
}
