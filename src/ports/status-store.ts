/** Where a token stands in a Token Status List. */
export interface StatusPlace {
  /** The list's number in the store. */
  readonly list: number
  readonly index: number
}

/** Token Status Lists: the places of tokens, and which of them are revoked. */
export interface StatusStore {
  /** Opens a list that its caller alone fills. Answers its number. */
  open(list: {
    /** Last part of its URI. */
    readonly name: string
    readonly size: number
    readonly openedAt: number
    /** From then on nobody puts a token into it. */
    readonly closesAt: number
    /** From then on no token in it is in its time, and the list is forgotten. */
    readonly expiresAt: number
  }): Promise<number>
  /** A list in its time, as it is at this moment. */
  read(
    name: string,
    now: number,
  ): Promise<
    | {
        readonly size: number
        readonly version: number
        readonly expiresAt: number
        readonly revoked: readonly number[]
      }
    | undefined
  >
  /** The version of a list in its time: it grows with whatever is revoked. */
  version(name: string, now: number): Promise<number | undefined>
  /** Names of the lists in their time, oldest first. */
  list(now: number): Promise<readonly string[]>
}
