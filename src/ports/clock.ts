/** The present, as an argument: services never read the machine's clock. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
}
