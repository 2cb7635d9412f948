import { randomBytes } from 'node:crypto'
import type { HsmAttributes } from '../../core/formats/hsm/attributes.ts'
import type { HsmToken } from '../../core/formats/hsm/token.ts'
import type { AttackCase } from './attack-case.ts'
import { enrollHsm, type HsmAttempt } from './hsm-flows.ts'
import { createHsmKey, type EmulatedHsmKey } from './hsm-key.ts'
import type { DeclaredToken, HsmWorld } from './hsm-world.ts'
import type { AttackWorld } from './world.ts'

/** What may be forged of a statement. */
interface Forgery {
  readonly attributes?: Partial<HsmAttributes>
  /** The token that the statement is about, where it is not the one that is claimed. */
  readonly described?: HsmToken
  /** Whose attestation key states it, of those that the operator registered. */
  readonly by?: (hsm: HsmWorld) => DeclaredToken
  /** What signs the statement; the registered attestation key where absent. */
  readonly signer?: (attestationKey: EmulatedHsmKey) => Promise<EmulatedHsmKey> | EmulatedHsmKey
  readonly attempt?: Partial<HsmAttempt>
}

async function attempt(world: AttackWorld, forgery: Forgery = {}): Promise<HsmAttempt> {
  const { by = hsm => hsm.hardware, signer = registered => registered } = forgery
  const { token, attestationKey: registered } = by(await world.hsm())
  const key = createHsmKey(forgery.described ?? token, forgery.attributes)
  const voucher = { format: 'hsm-declared', attestationKey: await signer(registered) } as const
  return { token, key, voucher, ...forgery.attempt }
}

const honest: AttackCase['twin'] = async world => await enrollHsm(world, await attempt(world))

function statementCase(name: string, code: string, forgery: Forgery): AttackCase {
  const attack: AttackCase['attack'] = async world =>
    await enrollHsm(world, await attempt(world, forgery))
  return { name, code, assurance: 'hsm-declared', attack, twin: honest }
}

function attributeCase(name: string, code: string, attributes: Partial<HsmAttributes>): AttackCase {
  return statementCase(`declared HSM key ${name}`, code, { attributes })
}

const elsewhere: HsmToken = { manufacturer: 'Maker of HSMs', model: 'Box 7', serial: 'elsewhere' }

/** Keys that a host declares, by an attestation key that an operator registered: what is stated, and by whom. */
export const hsmDeclaredCases: readonly AttackCase[] = [
  attributeCase('that may leave its token', 'hsm-extractable', { CKA_EXTRACTABLE: true }),
  attributeCase('that could leave its token once', 'hsm-ever-extractable', {
    CKA_NEVER_EXTRACTABLE: false,
  }),
  attributeCase('that can be read', 'hsm-sensitive', { CKA_SENSITIVE: false }),
  attributeCase('that could be read once', 'hsm-sensitive', { CKA_ALWAYS_SENSITIVE: false }),
  attributeCase('not made in its token', 'hsm-not-local', { CKA_LOCAL: false }),
  attributeCase('that ends with its session', 'hsm-session-object', { CKA_TOKEN: false }),
  attributeCase('made by another mechanism', 'hsm-mechanism', { CKA_KEY_GEN_MECHANISM: 0x1050 }),
  attributeCase('that may unwrap as well', 'hsm-usage', { CKA_UNWRAP: true }),
  statementCase('statement replayed from another challenge', 'hsm-statement-nonce', {
    attempt: { stated: context => ({ ...context, nonce: randomBytes(32) }) },
  }),
  statementCase('statement made for another service', 'hsm-statement-audience', {
    attempt: { stated: context => ({ ...context, audience: 'https://other.example' }) },
  }),
  statementCase('statement made for an agent’s key', 'hsm-statement-audience', {
    attempt: { stated: context => ({ ...context, purpose: 'agent' }) },
  }),
  statementCase('statement by a key that nobody registered', 'hsm-statement-signer', {
    signer: async registered => createHsmKey((await registered.describe()).token),
  }),
  statementCase('statement signed by another key than it names', 'hsm-statement-signature', {
    signer: async registered => {
      const forger = createHsmKey((await registered.describe()).token)
      return { ...registered, sign: async message => await forger.sign(message) }
    },
  }),
  statementCase('statement about a token that is not its signer’s', 'hsm-token-differs', {
    described: elsewhere,
    attempt: { token: elsewhere },
  }),
  {
    name: 'statement about another key',
    code: 'hsm-statement-key',
    assurance: 'hsm-declared',
    attack: async world => {
      const { key, ...rest } = await attempt(world)
      const other = createHsmKey(rest.token)
      // It asks for a certificate with its own key, and states another's thumbprint.
      return await enrollHsm(world, { ...rest, key: { ...key, jkt: other.jkt } })
    },
    twin: honest,
  },
  {
    name: 'attestation key that speaks for itself',
    code: 'hsm-statement-self',
    assurance: 'hsm-declared',
    attack: async world => {
      const { hardware } = await world.hsm()
      return await enrollHsm(world, { ...(await attempt(world)), key: hardware.attestationKey })
    },
    twin: honest,
  },
  {
    ...statementCase('SoftHSM where software is not let in', 'attestation-contraindicated', {
      by: ({ software }) => software,
    }),
    needs: ({ assurance }) => !assurance.includes('emulated'),
  },
]
