// Server: says with each answer how old a replica's levels are, once it has lost its leader.

import type { ServerInterceptor } from "@grpc/grpc-js";
import { LEVELS_AGE } from "../metadata-keys.ts";
import { serverInterceptor } from "../server/interceptors/server-interceptor.ts";
import type { Follower } from "./follower.ts";

export function levelsAgeInterceptor(follower: Follower): ServerInterceptor {
  return serverInterceptor(({ path }) => {
    if (!path.startsWith("/bakery.")) return {};
    return {
      sendMetadata(metadata, next) {
        const { lostForMs } = follower;
        if (lostForMs !== undefined) metadata.set(LEVELS_AGE, String(lostForMs));
        next(metadata);
      },
    };
  });
}
