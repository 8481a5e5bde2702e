#pragma once
// POST /loki/api/v1/push: how promtail, Alloy and other clients of Loki write. Streams become OTLP
// logs on the way in (otlp/loki_push.h) and go the way that those go; errors are plain text.

#include "api/router.h"
#include "store/store.h"

namespace contextcore::api {

class LokiPush {
 public:
  explicit LokiPush(store::Store& store) : store_(store) {}
  void mount(Router& router);

 private:
  Response push(const Request& request) const;

  store::Store& store_;
};

}  // namespace contextcore::api
