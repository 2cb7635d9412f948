/** The scopes of the service's own API: one per right, none implies another. */
export const apiScopes = [
  'authorities:read',
  'authorities:write',
  'bundle:adopt',
  'token-keys:read',
  'token-keys:write',
  'federations:read',
  'federations:write',
  'anchors:read',
  'anchors:write',
  'operators:read',
  'operators:write',
  'hosts:read',
  'hosts:revoke',
  'hosts:label',
  'risk:read',
  'risk:write',
  'grants:read',
  'grants:write',
  'grants:own',
  'policies:read',
  'policies:write',
  'policies:activate',
  'endorsements:read',
  'endorsements:write',
  'classes:read',
  'classes:write',
  'agents:read',
  'agents:revoke',
  'agents:create',
  'credentials:issue',
  'audit:read',
  'revocations:read',
  'revocations:write',
  'tokens:introspect',
  'metrics:read',
] as const

export type ApiScope = (typeof apiScopes)[number]

/** What each kind of caller may ask for at the service's own API; what has no row gets nothing. */
export const apiScopesOf: Readonly<Record<string, readonly ApiScope[]>> = {
  administrator: apiScopes.filter(
    scope => !['agents:create', 'credentials:issue', 'bundle:adopt', 'grants:own'].includes(scope),
  ),
  auditor: [
    'authorities:read',
    'token-keys:read',
    'federations:read',
    'anchors:read',
    'operators:read',
    'hosts:read',
    'risk:read',
    'grants:read',
    'policies:read',
    'endorsements:read',
    'classes:read',
    'agents:read',
    'audit:read',
    'metrics:read',
    'revocations:read',
  ],
  'resource-server': ['tokens:introspect', 'revocations:read'],
  host: ['agents:create', 'credentials:issue', 'bundle:adopt'],
  agent: ['credentials:issue', 'grants:own'],
}

/**
 * The scopes to grant: those asked for, or all that are allowed when none is named. Undefined when something was
 * asked for that is not allowed: it is refused, never dropped silently (RFC 6749 §3.3).
 */
export function grantScopes(
  asked: string | undefined,
  allowed: readonly string[],
): string[] | undefined {
  if (asked === undefined) return [...allowed]
  const wanted = [...new Set(asked.split(' ').filter(scope => scope !== ''))]
  return wanted.every(scope => allowed.includes(scope)) ? wanted : undefined
}
