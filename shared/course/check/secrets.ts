// What must never be in git: keys, tokens, certificates, and what a program writes anew.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { git, namesIn } from "../git.ts";

// A real one, not the word for one: a lesson may show how a key begins, and the first part of a token.
const pem = /-----BEGIN [A-Z0-9 ]+-----(\\[rn]|\s)+([A-Za-z0-9+/=]|\\[rn]|\s){60}/;
const token = /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{40,}/;

/** Finds such files, each as `file: what, and what to do`. None without git, as in an archive. */
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
    return []; // No git, no repository.
  }
}
