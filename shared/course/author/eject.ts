// npm run eject: makes an independent project from a step.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, posix, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../../terminal/program.ts";
import { whenThisProcessEnds } from "../../testing/cleanup.ts";
import { serversOf } from "../../testing/step-servers.ts";
import { writeFiles } from "../fixtures.ts";
import { runScript } from "../script.ts";
import { chooseSteps, courseRoot } from "../steps.ts";
import { importsIn, stepFiles } from "./step-diff.ts";

const USAGE = `Usage: npm run eject STEP FOLDER

Makes a project of its own from STEP, such as npm run eject 7 ../my-service. FOLDER is a new or an empty
folder outside of the course.`;

/** Packages that no copied file imports, but the project's scripts and the generated code need. */
const tools = "@bufbuild/buf @bufbuild/protobuf @types/node ts-proto tsx typescript".split(" ");

await runScript(USAGE, async () => {
  const [name, folder, ...more] = parseArgs({ allowPositionals: true }).positionals;
  const [step] = name === undefined || folder === undefined ? [] : chooseSteps([name]);
  if (step === undefined || folder === undefined || more.length > 0) throw new UsageError(USAGE);
  // npm runs a script in the folder of package.json; INIT_CWD is the folder in which it was typed.
  const target = resolve(process.env.INIT_CWD ?? "", folder);
  if (`${target}${sep}`.startsWith(`${courseRoot}${sep}`)) {
    throw new UsageError(`${target} is inside the course: choose a folder beside it`);
  }
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new UsageError(`${target} is not empty: choose a new folder`);
  }
  writeAll(target, projectFiles(step.name, basename(target)));
  console.log(`${target} now holds ${step.name}. Next:
  cd ${folder}
  npm install
  npm test
  npm start
Its README.md lists what to rename.`);
  return 0;
});

/** Returns the files of the project `name` by path: the step, what it imports, and its tools. */
function projectFiles(step: string, name: string): Map<string, string> {
  const files = new Map<string, string>();
  const packages = new Set(tools);
  for (const [file, text] of stepFiles(courseRoot, step)) files.set(file, atTheTop(text));
  // The loop also visits the files that it adds.
  for (const [file, text] of files) {
    for (const target of file.endsWith(".ts") ? importsIn(text) : []) {
      const path = posix.join(posix.dirname(file), target);
      if (!target.startsWith(".")) packages.add(/^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target);
      else if (path.startsWith("shared/") && !files.has(path))
        files.set(path, atTheTop(read(path)));
    }
  }
  const tests = [...files.keys()].filter((file) => file.endsWith(".test.ts"));
  const [options] = read("tsconfig.json").split('\n  "include"');
  return files
    .set("package.json", packageJson(step, name, { packages, tests }))
    .set("package-lock.json", read("package-lock.json")) // npm install keeps its versions.
    .set("tsconfig.json", `${options}\n  "include": ["**/*.ts"]\n}\n`)
    .set(".gitignore", read(".gitignore").replace(/^\.ci.*\n/gm, ""))
    .set("LICENSE.course", read("LICENSE"))
    .set("README.md", readme(step, name));
}

/**
 * Returns the text of a file with its paths changed for the project: the step's folder becomes the root,
 * and shared/ moves into it.
 */
function atTheTop(text: string): string {
  return text
    .replace(/"((?:\.\.\/)*)\.\.\/shared\//g, (_, up: string) => `"${up || "./"}shared/`)
    .replaceAll("../node_modules/", "node_modules/")
    .replaceAll('join(folder, "..")', "folder");
}

/** Returns a package.json that requires `packages` in the versions of the course. */
function packageJson(
  step: string,
  name: string,
  { packages, tests }: { packages: ReadonlySet<string>; tests: readonly string[] },
): string {
  const { engines, dependencies, devDependencies } = JSON.parse(read("package.json"));
  const used = (all: Record<string, string>) =>
    Object.fromEntries(Object.entries(all).filter(([one]) => packages.has(one)));
  const folder = join(courseRoot, step);
  const files = new Set(serversOf(folder).map(({ file }) => file));
  if (existsSync(join(folder, "server.ts"))) files.add("server.ts");
  const starts = [...files].map((file) => {
    const script = file === "server.ts" ? "start" : `start:${file.replace("-server.ts", "")}`;
    return [script, `node --import tsx ${file}`];
  });
  const generate = "buf generate && buf build --as-file-descriptor-set -o gen/descriptors.binpb";
  const project = {
    name: name.toLowerCase().replace(/[^a-z0-9-]+/g, "-"),
    version: "0.1.0",
    private: true,
    type: "module",
    engines,
    scripts: {
      prepare: "npm run generate",
      generate,
      ...Object.fromEntries(starts),
      test: `node --import tsx/esm --test ${tests.join(" ")}`,
      check: "tsc --noEmit && buf lint",
    },
    dependencies: used(dependencies),
    devDependencies: used(devDependencies),
  };
  return `${JSON.stringify(project, null, 2)}\n`;
}

/** Returns a README that says where the project comes from, and how to use it. */
function readme(step: string, name: string): string {
  const [, ...parts] = read("shared/course/make-it-yours.md").split(/^(?=## )/m);
  const origin = `Made from \`${step}\` of the course "gRPC in TypeScript, step by step".`;
  return [`# ${name}`, origin, parts.join("")].join("\n\n");
}

function read(file: string): string {
  return readFileSync(join(courseRoot, file), "utf8");
}

/** Writes all files into `target`, or none: removes them again if this process ends too early. */
function writeAll(target: string, files: ReadonlyMap<string, string>): void {
  const made = mkdirSync(target, { recursive: true });
  const done = whenThisProcessEnds(() => {
    const parts =
      made === undefined ? readdirSync(target).map((file) => join(target, file)) : [made];
    for (const part of parts) rmSync(part, { recursive: true, force: true });
  });
  writeFiles(target, Object.fromEntries(files));
  done();
}
