// Tells the benchmark what a server has used: loaded into the server's process beside its own code.

import { type AddressInfo, createServer } from "node:net";

// Every connection gets one reading and ends.
const gauge = createServer((socket) => {
  const { user, system } = process.cpuUsage();
  socket.end(JSON.stringify({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() }));
});
gauge.listen(0, "127.0.0.1", () => {
  console.error(`gauge on 127.0.0.1:${(gauge.address() as AddressInfo).port}`);
});
gauge.unref(); // The server lives as long as it would without the gauge.
