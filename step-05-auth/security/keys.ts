// The key pair that tokens are signed and checked with, made when it is first needed.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { exportPKCS8, exportSPKI, generateKeyPair } from "jose";

/** Where the keys are unless somebody says otherwise. Git ignores it. */
export const keysFolder: string = join(import.meta.dirname, "..", "keys");

const PRIVATE_KEY = "private-key.pem";
const PUBLIC_KEY = "public-key.pem";

/** The signing key, PEM: whoever has it can be anybody. */
export async function readPrivateKey(folder: string): Promise<string> {
  await makeKeys(folder);
  return readKey(folder, PRIVATE_KEY);
}

/** The key to check with, PEM: all that a server needs. */
export async function readPublicKey(folder: string): Promise<string> {
  await makeKeys(folder);
  return readKey(folder, PUBLIC_KEY);
}

function readKey(folder: string, name: string): string {
  const file = join(folder, name);
  if (existsSync(file)) return readFileSync(file, "utf8");
  throw new Error(`there is no ${file}; remove its folder, and a new key pair is made`);
}

/** Makes both keys at once, or leaves those that are there: two programs may come here together. */
async function makeKeys(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(join(dirname(folder), `${basename(folder)}-`));
  try {
    writeFileSync(join(draft, PRIVATE_KEY), await exportPKCS8(privateKey), { mode: 0o600 });
    writeFileSync(join(draft, PUBLIC_KEY), await exportSPKI(publicKey));
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // Else somebody was faster, and there are keys.
  }
}
