// Client: says which servers are ejected and taken back. grpc-js keeps that to itself.

import { EventEmitter } from "node:events";
import { experimental } from "@grpc/grpc-js";

/** Emits the address of a server that gets no calls from now on, or gets some again. */
export const ejections = new EventEmitter<{ ejected: [string]; returned: [string] }>();

/** The name of a policy that picks as its child does. Outlier detection is its parent. */
export const WATCHED = "watched";

class WatchedConfig implements experimental.TypedLoadBalancingConfig {
  readonly child: experimental.TypedLoadBalancingConfig;

  constructor(child: experimental.TypedLoadBalancingConfig) {
    this.child = child;
  }

  static createFromJson({
    child_policy: [child],
  }: {
    child_policy: [Record<string, object>];
  }): WatchedConfig {
    return new WatchedConfig(experimental.parseLoadBalancingConfig(child));
  }

  getLoadBalancerName(): string {
    return WATCHED;
  }

  toJsonObject(): object {
    return { [WATCHED]: { child_policy: [this.child.toJsonObject()] } };
  }
}

/** grpc-js makes one for each channel. */
class WatchedBalancer extends experimental.ChildLoadBalancerHandler {
  constructor(helper: experimental.ChannelControlHelper) {
    const ejected = new Set<string>();
    // Outlier detection tells its child that a subchannel isn't healthy. A server may have several.
    const watch = (address: string, isHealthy: boolean) => {
      if (ejected.has(address) === !isHealthy) return;
      if (isHealthy) ejected.delete(address);
      else ejected.add(address);
      ejections.emit(isHealthy ? "returned" : "ejected", address);
    };
    const createSubchannel: typeof helper.createSubchannel = (...args) => {
      const subchannel = helper.createSubchannel(...args);
      const address = subchannel.getAddress();
      if (subchannel.isHealthy()) ejected.delete(address); // It had left the list meanwhile.
      subchannel.addHealthStateWatcher((isHealthy) => watch(address, isHealthy));
      return subchannel;
    };
    super(experimental.createChildChannelControlHelper(helper, { createSubchannel }));
  }

  override updateAddressList(
    ...[list, config, ...rest]: Parameters<experimental.LoadBalancer["updateAddressList"]>
  ): boolean {
    return config instanceof WatchedConfig && super.updateAddressList(list, config.child, ...rest);
  }
}

experimental.registerLoadBalancerType(WATCHED, WatchedBalancer, WatchedConfig);
