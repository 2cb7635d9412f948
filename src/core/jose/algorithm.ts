/** One signature algorithm of JSON Web Algorithms that Assay accepts. */
export interface JwsAlgorithm {
  readonly name: 'ES256' | 'ES384'
  readonly hash: 'sha256' | 'sha384'
  readonly curve: 'P-256' | 'P-384'
  /** Bytes of one coordinate; a signature has two of them (RFC 7518 §3.4). */
  readonly coordinateLength: number
}

/** RFC 7518 §3.4. What is not a row is refused, `none` and every symmetric algorithm first of all. */
export const jwsAlgorithmOf: Readonly<Record<JwsAlgorithm['curve'], JwsAlgorithm>> = {
  'P-256': { name: 'ES256', hash: 'sha256', curve: 'P-256', coordinateLength: 32 },
  'P-384': { name: 'ES384', hash: 'sha384', curve: 'P-384', coordinateLength: 48 },
}

/** The rows, strongest last. */
export const jwsAlgorithms: readonly JwsAlgorithm[] = Object.values(jwsAlgorithmOf)

/** The names, as metadata documents list them. */
export const jwsAlgorithmNames: readonly string[] = jwsAlgorithms.map(row => row.name)

/** The row for a curve, or undefined. */
export function algorithmOfCurve(curve: unknown): JwsAlgorithm | undefined {
  return jwsAlgorithms.find(row => row.curve === curve)
}
