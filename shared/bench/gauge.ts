// Reports the processor time and memory of a server. The benchmark loads it into the server's process.

import { type AddressInfo, createServer } from "node:net";

// Sends one reading to each connection, then closes it.
const gauge = createServer((socket) => {
  const { user, system } = process.cpuUsage();
  socket.end(JSON.stringify({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() }));
});
gauge.listen(0, "127.0.0.1", () => {
  console.error(`gauge on 127.0.0.1:${(gauge.address() as AddressInfo).port}`);
});
gauge.unref(); // The gauge does not keep the server alive.
