// Client: sets how a channel spreads its calls over the servers of its target.

import { experimental } from "@grpc/grpc-js";
import { withOutlierDetection } from "./outlier-detection.ts";

/**
 * Returns what is wrong with the name of a policy, or undefined if grpc-js knows it. Ask before you
 * use one: grpc-js silently replaces an unknown policy with pick_first, which uses one server.
 */
export function policyProblem(policy: string): string | undefined {
  try {
    experimental.parseLoadBalancingConfig({ [policy]: {} });
    return undefined;
  } catch {
    return `must be a policy that grpc-js has, such as round_robin, not "${policy}"`;
  }
}

/**
 * Returns what a channel's service config says about balancing. For a target with a single address,
 * that is nothing.
 * @param ejects whether servers that fail get no calls for a while; no effect with pick_first.
 * @throws {Error} if grpc-js doesn't know the policy.
 */
export function balancing(
  target: string,
  policy: string,
  ejects: boolean,
): { loadBalancingConfig?: object[] } {
  const problem = policyProblem(policy);
  if (problem !== undefined) throw new Error(`the policy ${problem}`);
  if (!/^(dns|replicas):/.test(target)) return {};
  if (ejects && policy !== "pick_first") {
    return { loadBalancingConfig: [withOutlierDetection(policy)] };
  }
  // A list in order of preference. grpc-js takes the first policy that it knows.
  return { loadBalancingConfig: [{ [policy]: {} }] };
}
