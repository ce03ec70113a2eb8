// Keeps the key pair that signs and verifies tokens, and creates it on first use.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportPKCS8, exportSPKI, generateKeyPair } from "jose";
import { ExpectedError } from "../../shared/terminal/program.ts";
import { makeFolder } from "./make-folder.ts";

/** The default folder of the keys. Git ignores it. */
export const keysFolder: string = join(import.meta.dirname, "..", "keys");

const PRIVATE_KEY = "private-key.pem";
const PUBLIC_KEY = "public-key.pem";

/** Returns the signing key as PEM. Anyone who has it can issue tokens for any user. */
export async function readPrivateKey(folder: string): Promise<string> {
  await makeKeys(folder);
  return readKey(folder, PRIVATE_KEY);
}

/** Returns, as PEM, the key that verifies tokens. A server needs no other. */
export async function readPublicKey(folder: string): Promise<string> {
  await makeKeys(folder);
  return readKey(folder, PUBLIC_KEY);
}

function readKey(folder: string, name: string): string {
  const file = join(folder, name);
  if (existsSync(file)) return readFileSync(file, "utf8");
  throw new ExpectedError(`there is no ${file}; remove its folder to get a new key pair`);
}

async function makeKeys(folder: string): Promise<void> {
  await makeFolder(folder, async (draft) => {
    const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
    writeFileSync(join(draft, PRIVATE_KEY), await exportPKCS8(privateKey), { mode: 0o600 });
    writeFileSync(join(draft, PUBLIC_KEY), await exportSPKI(publicKey), { mode: 0o644 });
  });
}
