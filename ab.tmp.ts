import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { openClient, repeat } from "./shared/bench/client.ts";
import { equipStep, startServer } from "./shared/bench/servers.ts";

const rounds = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(join(tmpdir(), "ab-"));
let batches = 0;
const col = createServer((q, r) => { q.resume(); q.on("end", () => { batches++; r.end("{}"); }); });
await new Promise<void>((r) => col.listen(0, "127.0.0.1", () => r()));
const a = col.address(); const port = typeof a === "object" ? a?.port : 0;
const s8 = await equipStep("step-08-metrics", join(folder, "8"));
const s9 = await equipStep("step-09-tracing", join(folder, "9"));
const on = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
const subjects = [
  { ...s8 }, { ...s9, name: "step-09 off" },
  { ...s9, name: "step-09 on", env: { ...s9.env, ...on } },
  { ...s9, name: "step-09 10%", env: { ...s9.env, ...on, OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" } },
];
const all: Record<string, number[]> = {};
const starts: Record<string, number[]> = {};
const mem: Record<string, number[]> = {};
const median = (x: number[]) => [...x].sort((p, q) => p - q)[Math.floor(x.length / 2)] ?? 0;
for (let round = 0; round < rounds; round++) {
  const running = [];
  for (const s of subjects) {
    const server = await startServer(s);
    (starts[s.name] ??= []).push(server.startMs);
    running.push({ s, server, client: openClient(server.address, s) });
  }
  for (const { client } of running) await repeat(client.unary, 6000, 16);
  const cpu: Record<string, number[]> = {};
  for (let batch = 0; batch < 10; batch++) {
    const turn = batch % running.length;
    for (const { s, server, client } of [...running.slice(turn), ...running.slice(0, turn)]) {
      const before = (await server.read()).cpuUs;
      await repeat(client.unary, 1500, 16);
      (cpu[s.name] ??= []).push(((await server.read()).cpuUs - before) / 1500);
    }
  }
  for (const { s, server, client } of running) {
    (mem[s.name] ??= []).push((await server.read()).rssBytes / 1e6);
    client.close(); await server.stop();
    (all[s.name] ??= []).push(median(cpu[s.name] ?? []));
  }
  console.log(round, Object.fromEntries(Object.entries(cpu).map(([n, x]) => [n, median(x).toFixed(1)])));
}
for (const [n, x] of Object.entries(all)) console.log(n, "cpu", median(x).toFixed(1), "diff to 08", median(x.map((v, i) => v - (all["step-08-metrics"]?.[i] ?? 0))).toFixed(1), "start", median(starts[n] ?? []).toFixed(0), "mem", median(mem[n] ?? []).toFixed(0), x.map((v) => v.toFixed(0)).join(" "));
console.log("batches", batches);
process.exit(0);
