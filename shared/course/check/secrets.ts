// Finds what must never be in git: keys, tokens, certificates, and files that programs generate.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { git, namesIn } from "../git.ts";

// Both match real keys and tokens only: a lesson may show the beginning of one.
const pem = /-----BEGIN [A-Z0-9 ]+-----(\\[rn]|\s)+([A-Za-z0-9+/=]|\\[rn]|\s){60}/;
const token = /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{40,}/;

/** Returns files that must not be in git, as `file: what, and what to do`; none without git. */
export function secretProblems(root: string): string[] {
  return trackedFiles(root, "--cached")
    .filter((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile())
    .flatMap((file) => {
      const text = readFileSync(join(root, file), "utf8");
      if (!pem.test(text) && !token.test(text)) return [];
      const advice = "take it out and make a new one: what was in git is public";
      return [`${file}: a key, certificate or token in git: ${advice}`];
    })
    .concat(
      trackedFiles(root, "--cached", "--ignored", "--exclude-standard").map(
        (file) => `${file}: is in git, and .gitignore says that it must not be: git rm --cached it`,
      ),
    );
}

function trackedFiles(root: string, ...options: string[]): string[] {
  try {
    return namesIn(git(root, "ls-files", "-z", ...options));
  } catch {
    return []; // Git is not installed, or this is not a repository.
  }
}
