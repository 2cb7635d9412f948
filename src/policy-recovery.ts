import { loadDataDirectory } from './data-directory.ts'
import type { PassphraseSources } from './key-passphrase.ts'
import { withLocalStore } from './local-store.ts'
import { recoverAuthorization, type RecoveredPolicies } from './services/authorization-recovery.ts'
import { loadAuthorizationSchema, loadStarterPolicies } from './shipped-tables.ts'

/**
 * Puts the policies that this version ships into force in a data directory whose own deny everything: from where the
 * service runs, while it does not run, by whoever may read its keys.
 *
 * @param reason stands in the audit log
 * @throws ConfigError `config-missing`, `config-exposed`; KeyPassphraseError; StoreError `store-in-use`
 */
export async function recoverPolicies(
  directory: string,
  sources: PassphraseSources,
  reason: string,
): Promise<RecoveredPolicies> {
  const data = loadDataDirectory(directory, sources)
  return await withLocalStore(data, async store => {
    const clock = { now: () => Date.now() }
    const shipped = { text: loadStarterPolicies(), schema: loadAuthorizationSchema() }
    return await recoverAuthorization({ store, clock }, shipped, reason)
  })
}
