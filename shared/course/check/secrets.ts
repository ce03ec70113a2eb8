// What must never be in git: keys, tokens, certificates, and what a program writes anew.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { git, namesIn } from "../git.ts";

const secretFiles = /(^|\/)(keys(-[^/]+)?|certs(-[^/]+)?)\/|\.(pem|key|p12|pfx|crt|cer|der|jwt)$/;
const generatedFiles = /(^|\/)gen\/|\.binpb$/;

// A real one, not the word for one: a lesson may show how a key begins, and the first part of a token.
const pem = /-----BEGIN ([A-Z0-9 ]+)-----(\\[rn]|\s)+([A-Za-z0-9+/=]|\\[rn]|\s){60}/;
const token = /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{40,}/;

/**
 * The files that git keeps in `root` and should not, each as `file: what, and what to do`. None where
 * there is no git, as in a downloaded archive.
 */
export function secretProblems(root: string): string[] {
  return trackedFiles(root)
    .filter((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile())
    .flatMap((file) => {
      const remove = `git rm --cached ${file}, and name it in .gitignore`;
      if (generatedFiles.test(file)) return [`${file}: is generated: ${remove}`];
      const secret = secretIn(file, readFileSync(join(root, file), "utf8"));
      if (secret === undefined) return [];
      return [`${file}: ${secret} in git: ${remove}. Make a new one: what was in git is public`];
    });
}

function trackedFiles(root: string): string[] {
  try {
    return namesIn(git(root, "ls-files", "-z"));
  } catch {
    return []; // No git, no repository.
  }
}

function secretIn(file: string, text: string): string | undefined {
  const [, label] = pem.exec(text) ?? [];
  if (label !== undefined) return `a ${label.toLowerCase()}`;
  if (token.test(text)) return "a token";
  return secretFiles.test(file) ? "a file for keys, certificates or tokens" : undefined;
}
