#include "service_kit.h"

#include "work/hooks.h"

namespace contextcore::api {

void ServiceTest::SetUp() {
  files_ = disk_.start_process();
  open_store();
}

void ServiceTest::open_store() {
  store::StoreOptions options;
  options.path = "/store";
  options.mode = store::StoreMode::server;
  options.hooks = work::hooks();
  options.file_system = files_.get();
  options.clock = &clock_;
  options.random = &random_;
  options.metric_limits.tenants_max = tenants_max_;
  Result<std::unique_ptr<store::Store>> store = store::Store::open(std::move(options));
  ASSERT_TRUE(store.ok()) << store.error().message;
  store_ = std::move(*store);
  ServiceOptions service;
  service.store = store_.get();
  service.work.store_id = store_->store_id();
  service.clock = &clock_;
  service.random = &random_;
  service.query_timeout_ns = query_timeout_ns_;
  service.traces = traces_;
  service.version = "0.0.0-test";
  service.server_token = "the-token";
  service_ = Service::make(std::move(service));
}

Response ServiceTest::send(std::string method, std::string_view target, std::string body,
                           Pairs headers) {
  Request request;
  request.method = std::move(method);
  request.body = std::move(body);
  request.headers = std::move(headers);
  request.peer = "127.0.0.1:1";
  EXPECT_TRUE(parse_target(target, request).ok()) << target;
  return service_->handle(std::move(request));
}

Json ServiceTest::post(std::string_view target, std::string body) {
  Response response = send("POST", target, std::move(body), {{"content-type", "application/json"}});
  EXPECT_EQ(response.status, 200) << target << ": " << response.body;
  Result<Json> json = parse_json(response.body);
  EXPECT_TRUE(json.ok()) << response.body;
  return json.ok() ? *json : Json();
}

}  // namespace contextcore::api
