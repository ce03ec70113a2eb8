// Loaded into a measured server beside its own code: tells the benchmark what the process has used.

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const rssBytes = process.memoryUsage.rss();
  process.send?.({ atMs: performance.now(), cpuUs: user + system, rssBytes });
});
// The server lives as long as it would without us, and no longer than the benchmark.
process.on("disconnect", () => process.exit(1));
process.channel?.unref();
