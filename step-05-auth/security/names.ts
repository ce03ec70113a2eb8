// The names that tokens carry. Change them to your own.

/** The issuer of tokens. */
export const ISSUER = "bakery";
/** The audience of tokens: the server refuses a token for another one. */
export const AUDIENCE = "bakery.v1";
