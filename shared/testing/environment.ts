// Builds the environment of the programs that tests start, without the settings of the person who runs
// the tests.

/** Variables that programs need to run at all, on Linux, macOS and Windows. */
const needed = ["PATH", "Path", "PATHEXT", "SystemRoot", "ComSpec", "HOME", "USERPROFILE"];
const folders = ["TMPDIR", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "NODE_COMPILE_CACHE"];

const kept = Object.fromEntries([...needed, ...folders].map((name) => [name, process.env[name]]));

/** Hosts that grpc-js never reaches through a proxy. */
export const LOOPBACK = "127.0.0.1,localhost,::1";

/** Returns `env` and the variables of this process's environment that programs need to run. */
export function bareEnvironment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { BUF_CACHE_DIR } = process.env;
  return { ...kept, BUF_CACHE_DIR, no_grpc_proxy: LOOPBACK, ...env };
}
