// The names that tokens carry. Make them yours.

/** Who issues tokens. */
export const ISSUER = "bakery";
/** For whom they are: a token for another audience is refused. */
export const AUDIENCE = "bakery.v1";
