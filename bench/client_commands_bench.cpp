// Task commands through a running server, as agents send them: each connection creates a task, claims it and completes it with the
// claim's token. Prints one JSON object: commands/s and latency in ms.
//   client_commands_bench ADDRESS [tasks, default 5000] [connections, default 32]

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/network.h"
#include "client/http_client.h"

namespace {

using namespace contextcore;

class Agent {
 public:
  Agent(const Endpoint& endpoint, uint64_t number) : http_(real_network(), endpoint), number_(number) {}

  void task(uint64_t task) {
    const std::string id = fmt::format("BENCH-{}", task);
    ask("task.create", JsonObject{{"id", id}, {"title", "Task number " + std::to_string(task)}});
    const Json claim = ask("task.claim", JsonObject{{"id", id}});
    const Json* token = claim.find("token");
    ask("task.complete", JsonObject{{"id", id}, {"token", token != nullptr ? *token : Json()}});
  }
  const std::vector<double>& times_ms() const { return times_ms_; }

 private:
  Json ask(const char* op, JsonObject args) {
    const std::string agent = fmt::format("agent-{}", number_);
    const std::string body = to_string(Json(JsonObject{
        {"op", op}, {"project", "bench"}, {"args", std::move(args)},
        {"actor", JsonObject{{"actor", agent}, {"actor_type", "agent"}, {"agent_id", agent}, {"session_id", agent}}}}));
    const int64_t begin_ns = real_clock().monotonic_ns();
    const auto answer = http_.request("POST", "/tracker/v1/commands", {{"Content-Type", "application/json"}}, body);
    times_ms_.push_back(static_cast<double>(real_clock().monotonic_ns() - begin_ns) / 1e6);
    if (!answer.ok() || answer->status != 200) {
      fmt::print(stderr, "{}: {}\n", op, answer.ok() ? answer->body : answer.error().to_string());
      std::exit(1);
    }
    auto json = parse_json(answer->body);
    if (!json.ok()) std::exit(1);
    return std::move(*json);
  }

  client::HttpClient http_;
  uint64_t number_;
  std::vector<double> times_ms_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: client_commands_bench ADDRESS [tasks] [connections]\n");
    return 2;
  }
  const auto endpoint = parse_endpoint(argv[1], 4319);
  if (!endpoint.ok()) return fmt::print(stderr, "{}\n", endpoint.error().to_string()), 2;
  const uint64_t tasks = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5000;
  const uint64_t connections = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 32;
  std::vector<Agent> agents;
  for (uint64_t i = 0; i < connections; ++i) agents.emplace_back(*endpoint, i);
  std::atomic<uint64_t> next{0};
  const int64_t begin_ns = real_clock().monotonic_ns();
  std::vector<std::thread> threads;
  for (Agent& agent : agents) {
    threads.emplace_back([&] {
      for (uint64_t i = next++; i < tasks; i = next++) agent.task(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = static_cast<double>(real_clock().monotonic_ns() - begin_ns) / 1e9;
  std::vector<double> all;
  for (const Agent& agent : agents) all.insert(all.end(), agent.times_ms().begin(), agent.times_ms().end());
  std::sort(all.begin(), all.end());
  fmt::print(R"({{"commands":{},"seconds":{:.2f},"commands_per_s":{:.0f},"p50_ms":{:.2f},"p99_ms":{:.2f}}})"
             "\n",
             all.size(), seconds, static_cast<double>(all.size()) / seconds, all[all.size() / 2], all[all.size() * 99 / 100]);
}
