// Names the metadata that client and server agree on, beside the proto files. Make it yours.

/** The id of a call, the same in the logs of both sides. */
export const REQUEST_ID = "x-request-id";
