// Prints a signed token for a user.

import { importPKCS8, SignJWT } from "jose";
import { parseOptions } from "../shared/terminal/command-line.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { oneOf, parseDuration } from "../shared/terminal/values.ts";
import { roles } from "./security/identity.ts";
import { keysFolder, readPrivateKey } from "./security/keys.ts";
import { AUDIENCE, ISSUER } from "./security/names.ts";
import { ALGORITHM } from "./security/verify-token.ts";

await runProgram(async () => {
  const options = parseOptions({
    user: {
      value: "NAME",
      help: "the user that the token is for",
      default: "",
      problem: (name) => (name === "" ? "must be given" : undefined),
    },
    role: {
      value: roles.join("|"),
      help: "the role of the user",
      default: "customer",
      problem: oneOf(...roles),
    },
    ttl: { value: "TIME", help: "how long it is valid: 90s, 15m, 1h", default: "1h" },
  });
  const now = Math.floor(Date.now() / 1000);
  const key = await readPrivateKey(process.env.KEYS || keysFolder);
  const token = await new SignJWT({ role: options.role })
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(options.user)
    .setIssuedAt(now)
    .setExpirationTime(now + parseDuration("--ttl", options.ttl))
    .sign(await importPKCS8(key, ALGORITHM));
  console.log(token);
  return 0;
});
