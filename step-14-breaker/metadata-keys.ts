// Names the metadata that client and server agree on, beyond the proto files. Rename it in yours.

/** The id of a call, the same in both sides' logs. */
export const REQUEST_ID = "x-request-id";

/** The user for whom a service makes a call. Believed only if the caller is a service. */
export const USER_ID = "x-user-id";

/** How old a replica's levels are, in milliseconds, if it has lost its leader. */
export const LEVELS_AGE = "x-levels-age-ms";

/** gRPC's own: how often grpc-js has made this call before. Absent in the first attempt. */
export const PREVIOUS_ATTEMPTS = "grpc-previous-rpc-attempts";

/** gRPC's own: when to repeat the call, in milliseconds. -1 means not at all. */
export const RETRY_PUSHBACK = "grpc-retry-pushback-ms";
