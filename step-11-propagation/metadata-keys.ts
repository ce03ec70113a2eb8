// Names the metadata that client and server agree on, beyond the proto files. Rename it in yours.

/** The id of a call, the same in both sides' logs. */
export const REQUEST_ID = "x-request-id";

/** The user for whom a service makes a call. Believed only if the caller is a service. */
export const USER_ID = "x-user-id";
