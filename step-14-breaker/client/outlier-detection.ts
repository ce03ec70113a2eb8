// Client: gives a server no calls for a while, if most of its calls fail and those of others don't.

import { experimental } from "@grpc/grpc-js";
import { WATCHED } from "./ejections.ts";

const seconds = (seconds: number) => ({ seconds, nanos: 0 }); // "2s" would be an error here.

/** Small numbers, so that you see something soon. Any status but OK counts as a failure. */
const limits = {
  interval: seconds(2), // how often the calls since the last time are counted
  base_ejection_time: seconds(5), // the first time; the second time in a row twice that
  max_ejection_percent: 33, // If so many are ejected, no more are: here, one of three.
  failure_percentage_ejection: { threshold: 50, minimum_hosts: 3, request_volume: 5 },
};

/**
 * Returns the load balancing config for a policy that also ejects servers.
 * @throws {Error} if grpc-js can't read it. A channel would use pick_first then, and say nothing.
 */
export function withOutlierDetection(policy: string): object {
  const watched = { [WATCHED]: { child_policy: [{ [policy]: {} }] } };
  const config: experimental.OutlierDetectionRawConfig = { ...limits, child_policy: [watched] };
  return experimental.parseLoadBalancingConfig({ outlier_detection: config }).toJsonObject();
}
