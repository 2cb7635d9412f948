import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { intermediate, leaf, now } from './fixtures.ts'

/** Whose status is asked for. */
export const certificate = leaf()

/** Who signed it. */
export const issuer = parseCertificate(intermediate.certificate)

/** The moment of the question, and how old a word may be. */
export const freshness = { time: now, maxAgeSeconds: 7 * 86_400 }
