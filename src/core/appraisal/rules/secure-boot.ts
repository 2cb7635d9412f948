import { appraiseBoot } from '../boot-judgement.ts'
import type { Finding } from '../finding.ts'
import type { AppraisalSubject } from '../subject.ts'

/** Secure Boot was on, as PCR 7 shows; what cannot be proven counts as off. */
export interface SecureBootRule {
  readonly kind: 'secure-boot'
  readonly id: string
}

/** See {@link SecureBootRule}. */
export function appraiseSecureBoot(_rule: SecureBootRule, subject: AppraisalSubject): Finding {
  return appraiseBoot(subject, { pcrs: [7], expected: 'Secure Boot on' }, ({ secureBoot }) => {
    const { isEnabled } = secureBoot
    const wrong = isEnabled === true ? [] : [isEnabled === false ? 'off' : 'not proven']
    return { wrong, found: 'on' }
  })
}
