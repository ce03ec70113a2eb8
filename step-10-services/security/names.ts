// The names that tokens and certificates carry. Change them to your own.

/** The issuer of tokens. */
export const ISSUER = "bakery";
/** The audience of tokens: the server refuses a token for another one. */
export const AUDIENCE = "bakery.v1";

/** The subjects of the certificates that the server makes. The names to dial are in SAN. */
export const CA_NAME = "Bakery development CA";
export const SERVER_NAME = "bakery";
/** The subject of the client's certificate: it appears in the server's log. */
export const CLIENT_NAME = "van";
