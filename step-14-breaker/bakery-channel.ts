// How the bakery's servers call the catalog.

import { madeCalls } from "./bakery-metrics.ts";
import { bakeryRetries } from "./bakery-retries.ts";
import type { ServiceSettings } from "./bakery-service.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { type Connection, type ConnectOptions, connect } from "./client/connection.ts";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { certsFolder } from "./security/certificate-store.ts";

/** @param options.token who the server is to the catalog; empty if it needs no token. */
export function connectToCatalog(
  target: string,
  settings: ServiceSettings,
  { token, ...options }: { token: string } & Partial<ConnectOptions>,
): Connection {
  const certs = settings.CERTS || certsFolder;
  const own = settings.MTLS === 1 ? `${certs}/client` : undefined;
  const files = {
    ca: `${certs}/ca.pem`,
    cert: own === undefined ? "" : `${own}.pem`,
    key: own === undefined ? "" : `${own}-key.pem`,
  };
  const security = channelSecurity({ ...files, plaintext: false, token }, target);
  const metrics = madeCalls(CatalogServiceService);
  const alike = { verbose: false, security, metrics, serviceConfig: bakeryRetries };
  return connect(target, { deadlineMs: 0, ...alike, ...options });
}
