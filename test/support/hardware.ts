import type { ExecutionContext } from 'ava'
import { AuthoritySigners } from '../../src/hsm/authority-signers.ts'
import { createTokenPlace } from '../../src/hsm/issuing-key-place.ts'
import { withTokenKeys } from '../../src/hsm/token-authority-keys.ts'
import type { WatchedSigner } from '../../src/ports/signer.ts'
import { roleOfKey } from '../../src/services/signer-watch.ts'
import type { TestHardware } from './test-service.ts'

/**
 * Authorities with keys in two tokens, wired as the service wires them.
 *
 * @param uris of the tokens, `pkcs11:` with module-path and pin-source
 */
export function createTestHardware(
  t: Pick<ExecutionContext, 'teardown'>,
  uris: { readonly issuing: string; readonly standby?: string },
): TestHardware {
  const signers: WatchedSigner[] = []
  t.teardown(async () => {
    for (const signer of signers) await signer.close()
  })
  return {
    signers,
    places: {
      issuing: createTokenPlace(uris.issuing),
      ...(uris.standby === undefined ? {} : { standby: createTokenPlace(uris.standby) }),
    },
    wire: (disk, records) => {
      const uriOf = ({ keyReference }: { readonly keyReference: string }): string => keyReference
      const kept = new AuthoritySigners({
        deadlineMs: 20_000,
        sessions: 2,
        list: signers,
        uriOf,
        roleOf: publicKey => roleOfKey(records(), publicKey),
        onChange: () => undefined,
        onMistake: () => undefined,
      })
      return withTokenKeys(disk, kept, uriOf)
    },
  }
}
