// The names that tokens and certificates carry. Make them yours.

/** Who issues tokens. */
export const ISSUER = "bakery";
/** For whom they are: a token for another audience is refused. */
export const AUDIENCE = "bakery.v1";

/** The subjects of the certificates that the server makes. Clients see them, and check none. */
export const CA_NAME = "Bakery development CA";
export const SERVER_NAME = "bakery";
/** For the client's certificate: this name appears in the server's log. */
export const CLIENT_NAME = "van";
