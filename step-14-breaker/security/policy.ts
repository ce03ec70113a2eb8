// Defines who may call which method. A method that isn't listed is refused.

import type { CatalogServiceService } from "../gen/bakery/v1/catalog.ts";
import type { OrderServiceService } from "../gen/bakery/v1/orders.ts";
import type { HealthService } from "../gen/grpc/health/v1/health.ts";
import type { ServerReflectionService } from "../gen/grpc/reflection/v1/reflection.ts";
import type * as v1alpha from "../gen/grpc/reflection/v1alpha/reflection.ts";
import type { Identity, Role } from "./identity.ts";

/** The paths of all methods of a service, from the generated code. */
type PathOf<Service> = Service[keyof Service] extends { path: infer Path extends string }
  ? Path
  : never;

/** "anyone" means that no token is needed; a list holds the roles that may call. */
type Access = "anyone" | readonly Role[];

/** Has a key for each method, so the code doesn't compile if one is missing. */
export type Policy = Readonly<
  Record<PathOf<typeof CatalogServiceService> | PathOf<typeof OrderServiceService>, Access> &
    Record<PathOf<typeof HealthService> | PathOf<typeof ServerReflectionService>, Access> &
    Record<PathOf<typeof v1alpha.ServerReflectionService>, Access>
>;

const policy: Policy = {
  "/bakery.v1.CatalogService/GetProduct": "anyone",
  "/bakery.v1.CatalogService/SearchProducts": "anyone",
  "/bakery.v1.CatalogService/WatchProducts": "anyone",
  "/bakery.v1.CatalogService/RestockProducts": ["baker"],
  "/bakery.v1.CatalogService/ReserveProducts": ["service"],
  "/bakery.v1.CatalogService/ConfirmReservation": ["service"],
  "/bakery.v1.OrderService/CreateOrder": ["customer", "baker"],
  "/bakery.v1.OrderService/TrackOrder": ["customer", "baker"],
  // Probes have no token, nor do people who explore the server.
  "/grpc.health.v1.Health/Check": "anyone",
  "/grpc.health.v1.Health/List": "anyone",
  "/grpc.health.v1.Health/Watch": "anyone",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "anyone",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "anyone",
};

const accessTo: ReadonlyMap<string, Access> = new Map(Object.entries(policy));

/** Returns true if the method needs no token. */
export function isOpen(path: string): boolean {
  return accessTo.get(path) === "anyone";
}

export function mayCall(path: string, { role }: Identity): boolean {
  const access = accessTo.get(path) ?? [];
  return access === "anyone" || access.includes(role);
}
