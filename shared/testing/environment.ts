// The environment of the programs that tests start: nothing of the settings of the person at this
// machine.

/** What programs need to run at all, on Linux, macOS and Windows. */
const needed = ["PATH", "Path", "PATHEXT", "SystemRoot", "ComSpec", "HOME", "USERPROFILE"];
const folders = ["TMPDIR", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "NODE_COMPILE_CACHE"];

const kept = Object.fromEntries([...needed, ...folders].map((name) => [name, process.env[name]]));

/** Hosts that are never reached through a proxy, for grpc-js. */
export const LOOPBACK = "127.0.0.1,localhost,::1";

/** Returns `env`, and of this process's environment what is no setting of the person who started it. */
export function bareEnvironment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { BUF_CACHE_DIR } = process.env;
  return { ...kept, BUF_CACHE_DIR, no_grpc_proxy: LOOPBACK, ...env };
}
