// Says who may call what. It names every method of every service; an unknown method is refused.

import type { CatalogServiceService } from "../gen/bakery/v1/catalog.ts";
import type { OrderServiceService } from "../gen/bakery/v1/orders.ts";
import type { Identity, Role } from "./identity.ts";

/** The paths of all methods of a service, from the generated code. */
type PathOf<Service> = Service[keyof Service] extends { path: infer Path extends string }
  ? Path
  : never;

/** "anyone" needs no token. A list names the roles that may call. */
type Access = "anyone" | readonly Role[];

/** Has a key for each method: a policy that lacks one does not compile. */
export type Policy = Readonly<
  Record<PathOf<typeof CatalogServiceService> | PathOf<typeof OrderServiceService>, Access>
>;

const policy: Policy = {
  "/bakery.v1.CatalogService/GetProduct": "anyone",
  "/bakery.v1.CatalogService/SearchProducts": "anyone",
  "/bakery.v1.CatalogService/WatchProducts": "anyone",
  "/bakery.v1.CatalogService/RestockProducts": ["baker"],
  "/bakery.v1.OrderService/CreateOrder": ["customer", "baker"],
  "/bakery.v1.OrderService/TrackOrder": ["customer", "baker"],
};

const accessTo: ReadonlyMap<string, Access> = new Map(Object.entries(policy));

/** Returns true if a call without a token is let through. */
export function isOpen(path: string): boolean {
  return accessTo.get(path) === "anyone";
}

export function mayCall(path: string, { role }: Identity): boolean {
  const access = accessTo.get(path) ?? [];
  return access === "anyone" || access.includes(role);
}
