// Tells clients not to repeat an order that has no key: we would take it for another one.

import { status } from "@grpc/grpc-js";
import { OrderServiceService } from "../gen/bakery/v1/orders.ts";
import { serverInterceptor } from "../server/interceptors/server-interceptor.ts";
import { doNotRetry } from "../server/pushback.ts";

export const noKeyNoRetryInterceptor = serverInterceptor(({ path }) => {
  const { createOrder } = OrderServiceService;
  if (path !== createOrder.path) return {};
  let hasKey = true;
  return {
    start(next) {
      next({
        onReceiveMessage(message, next) {
          hasKey = message.idempotencyKey !== "";
          next(message);
        },
      });
    },
    sendStatus(ended, next) {
      const mayRepeat = hasKey || ended.code === status.OK;
      next(mayRepeat ? ended : { ...ended, metadata: doNotRetry() });
    },
  };
});
