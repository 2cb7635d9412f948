/** What issuers of certificates publish on the network. What comes back is never trusted for where it came from. */
export interface Outbound {
  /**
   * The bytes at a location that a certificate names; from memory where they were fetched a short while ago.
   *
   * @throws OutboundError
   */
  fetch(location: string): Promise<Uint8Array>
}
