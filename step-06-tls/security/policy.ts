// Who may call what. A method that is not named here is refused.

import { type Identity, type Role, roles } from "./identity.ts";

/** "anyone" needs no token. A list names the roles that may call. */
type Access = "anyone" | readonly Role[];

const policy: Readonly<Record<string, Access>> = {
  "/bakery.v1.CatalogService/GetProduct": "anyone",
  "/bakery.v1.CatalogService/SearchProducts": "anyone",
  "/bakery.v1.CatalogService/WatchProducts": "anyone",
  "/bakery.v1.CatalogService/RestockProducts": ["baker"],
  "/bakery.v1.OrderService/CreateOrder": roles,
  "/bakery.v1.OrderService/TrackOrder": roles,
};

/** True if a call without a token is let through. */
export function isOpen(path: string): boolean {
  return Object.hasOwn(policy, path) && policy[path] === "anyone";
}

export function mayCall(path: string, { role }: Identity): boolean {
  const access = Object.hasOwn(policy, path) ? policy[path] : [];
  return access === "anyone" || access?.includes(role) === true;
}
