#include "demo/texts.h"

#include <array>
#include <span>

namespace contextcore::demo {
namespace {

using Words = std::span<const std::string_view>;

struct Domain {
  std::string_view project, prefix;
  std::array<std::string_view, 8> things;
  std::array<std::string_view, 6> epics;
};

constexpr std::array<Domain, 5> kDomains = {{
    {"checkout",
     "PAY",
     {"payment form", "card charge", "refund flow", "invoice mail", "tax rules", "voucher codes",
      "fraud check", "payout report"},
     {"Pay by card", "Refunds without support", "Invoices for companies", "Taxes abroad",
      "Vouchers", "Fewer failed payments"}},
    {"search",
     "FIND",
     {"query parser", "ranking model", "index builder", "synonym list", "facet counts",
      "autocomplete", "result page", "click log"},
     {"Search that forgives typos", "Facets", "Fresh results in a minute", "Ranking by relevance",
      "Autocomplete", "Search in four languages"}},
    {"mobile-app",
     "APP",
     {"start screen", "login", "push messages", "offline cache", "photo upload", "settings page",
      "deep links", "crash reporter"},
     {"Offline mode", "Faster start", "Sign in with a passkey", "Push messages people keep on",
      "Photos", "One design on both systems"}},
    {"platform",
     "OPS",
     {"deploy pipeline", "secret store", "service mesh", "log retention", "backup job",
      "cost report", "alert rules", "cluster upgrade"},
     {"Deploy ten times a day", "Secrets out of the code", "Backups that restore", "Half the bill",
      "Alerts worth waking for", "Upgrade the clusters"}},
    {"data-hub",
     "DATA",
     {"event schema", "nightly import", "customer table", "churn model", "metric layer",
      "access rights", "lineage graph", "quality checks"},
     {"One customer table", "Imports without nights", "Metrics with one meaning",
      "Who may see what", "Churn early enough", "Data that is checked"}},
}};

constexpr std::array<std::string_view, 24> kPeople = {
    "amara", "bruno", "chiara", "dmitri", "elif", "farah", "goran",    "hanna",
    "imani", "jonas", "keiko",  "lukas",  "maya", "nico",  "oyelaran", "priya",
    "quinn", "rosa",  "sven",   "tariq",  "ulla", "vera",  "wei",      "yusuf"};
constexpr std::array<std::string_view, 6> kAgents = {"claude", "codex",    "gemini",
                                                     "scout",  "gardener", "reviewer"};

constexpr std::array<std::string_view, 10> kTaskVerbs = {
    "Add tests for the", "Move the",    "Write down how to run the",
    "Split the",         "Build the",   "Measure the",
    "Harden the",        "Wire up the", "Redo the",
    "Translate the"};
constexpr std::array<std::string_view, 8> kBugs = {"is empty after a reload",
                                                   "loses the last entry",
                                                   "times out on large accounts",
                                                   "shows yesterday's data",
                                                   "fails for names with an apostrophe",
                                                   "is wrong around midnight",
                                                   "doubles entries on retry",
                                                   "ignores the language setting"};
constexpr std::array<std::string_view, 6> kStories = {
    "As a customer I see the",      "As a customer I can change the", "Support can look into the",
    "Operators can switch off the", "The first version of the",       "A faster"};
constexpr std::array<std::string_view, 5> kSubtasks = {
    "Draft", "Implement", "Review the wording of", "Roll out", "Clean up after"};
constexpr std::array<std::string_view, 5> kSpikes = {
    "Find out what limits the", "Compare three ways to build the", "Prototype the",
    "Ask customers about the", "Estimate the cost of the"};
constexpr std::array<std::string_view, 5> kIncidents = {
    "down for all customers", "errors above 5 %", "slow since the last deploy", "writes wrong data",
    "fails in one region"};
constexpr std::array<std::string_view, 8> kBlocks = {"waiting for access to the sandbox",
                                                     "the supplier's interface answers 500",
                                                     "design has not decided",
                                                     "legal has to read the wording",
                                                     "needs the schema migration first",
                                                     "test environment is down",
                                                     "waiting for the security review",
                                                     "unclear who owns the data"};
constexpr std::array<std::string_view, 6> kUnblocks = {
    "access granted",       "the supplier has fixed it", "decided: the simple variant",
    "migration is through", "environment is back",       "clarified with the owner"};
constexpr std::array<std::string_view, 16> kComments = {
    "I can reproduce this.",
    "Started with the tests; two of them fail as expected.",
    "Half of it is done, the rest needs the new schema.",
    "Could somebody look at the naming?",
    "Works on my machine, not in staging.",
    "Smaller than it looked.",
    "Bigger than it looked.",
    "Let us split what is left into a task of its own.",
    "The numbers from last week are in the wiki.",
    "Asked the team that owns it; answer tomorrow.",
    "Feature flag is on for ten percent.",
    "No errors for three days; we can go to everybody.",
    "This is the same cause as the other one.",
    "Customers noticed. In a good way.",
    "Please do not merge before Thursday.",
    "Documented. Future me says thanks."};
constexpr std::array<std::string_view, 5> kFails = {
    "the approach does not scale", "tests do not get green within the budget",
    "the supplier has stopped the interface", "context was not enough to finish",
    "breaks compatibility that we promised"};
constexpr std::array<std::string_view, 5> kCancels = {
    "no longer needed", "duplicate of another task", "customers do not want it",
    "out of scope for this quarter", "solved by an upgrade"};
constexpr std::array<std::string_view, 4> kReopens = {
    "it happens again in production", "the fix covers one of two cases", "acceptance found a gap",
    "reverted because of an incident"};
constexpr std::array<std::string_view, 6> kCommits = {"Add",  "Fix",    "Simplify",
                                                      "Test", "Rename", "Speed up"};
constexpr std::array<std::string_view, 4> kGoals = {
    "Finish what is half done in", "A first customer uses", "No open incident in", "Ship"};

constexpr std::array<InsightText, 10> kInsights = {{
    {"decision", "architecture", "One queue for all writers, no lock in the hot path",
     "Measured: the lock cost more than the work behind it."},
    {"decision", "process", "Feature flags for everything that customers see",
     "Two roll-backs last month took an hour each."},
    {"decision", "storage", "Keep amounts as integers of the smallest unit",
     "Rounding differed between two services."},
    {"lesson", "testing", "The sandbox never declines a card: test declines against a fake",
     "Three bugs reached production this way."},
    {"lesson", "operations", "Restart one instance at a time: the cache needs four minutes",
     "A joint restart was the last incident."},
    {"lesson", "api", "Retries need an idempotency key from the first version on", ""},
    {"discovery", "performance", "Nine tenths of the time goes into one query without an index",
     ""},
    {"risk", "dependency", "The library for PDF files has one maintainer and no release in a year",
     ""},
    {"blocker", "access", "No test account of the supplier; ask before the next sprint", ""},
    {"question", "product", "Should a voucher survive a refund?", ""},
}};

// splitmix64's finisher: neighbours get unrelated words.
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string_view pick(Words words, uint64_t about, uint64_t salt) {
  return words[mix(about * 31 + salt + 0x9e3779b97f4a7c15) % words.size()];
}

const Domain& domain_of(const History& history) { return kDomains[history.domain]; }

std::string numbered(std::string_view name, uint32_t round) {
  return round == 0 ? std::string(name) : std::string(name) + std::to_string(round + 1);
}

std::string join(std::string_view a, std::string_view b) {
  return std::string(a).append(" ").append(b);
}

std::string capital(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

}  // namespace

uint32_t domain_count() { return static_cast<uint32_t>(kDomains.size()); }

std::string project_name(uint32_t project_number) {
  const uint32_t round = project_number / domain_count();
  const std::string_view name = kDomains[project_number % domain_count()].project;
  return round == 0 ? std::string(name) : std::string(name) + "-" + std::to_string(round + 1);
}

std::string project_prefix(uint32_t project_number) {
  return numbered(kDomains[project_number % domain_count()].prefix,
                  project_number / domain_count());
}

// Teams of different projects are different people, as far as there are names.
std::string person_name(const History& history, uint32_t worker) {
  const uint32_t number = worker + history.domain * 5;
  return numbered(kPeople[number % kPeople.size()], worker / static_cast<uint32_t>(kPeople.size()));
}

std::string agent_name(const History&, uint32_t worker) {
  return numbered(kAgents[worker % kAgents.size()], worker / static_cast<uint32_t>(kAgents.size()));
}

std::string item_title(const History& history, uint32_t item) {
  const Domain& domain = domain_of(history);
  const std::string_view thing = pick(domain.things, item, 1);
  switch (history.items[item].type) {
    case ItemType::epic:
      return std::string(pick(domain.epics, item, 2));
    case ItemType::story:
      return join(pick(kStories, item, 3), thing);
    case ItemType::task:
      return join(pick(kTaskVerbs, item, 4), thing);
    case ItemType::subtask:
      return join(pick(kSubtasks, item, 5), thing);
    case ItemType::bug:
      return capital(join(thing, pick(kBugs, item, 6)));
    case ItemType::spike:
      return join(pick(kSpikes, item, 7), thing);
    case ItemType::incident:
      return capital(join(thing, pick(kIncidents, item, 8)));
  }
  return std::string(thing);
}

std::string item_description(const History& history, uint32_t item) {
  const Domain& domain = domain_of(history);
  switch (history.items[item].type) {
    case ItemType::epic:
      return "What this is for: " + std::string(pick(domain.epics, item, 2)) +
             ". Done when customers use it and nobody asks how.";
    case ItemType::bug:
      return "Seen by a customer. Steps: open the " + std::string(pick(domain.things, item, 1)) +
             ", do it twice, look again.";
    default:
      return {};
  }
}

std::string sprint_goal(const History& history, uint32_t number) {
  return join(pick(kGoals, number, 9),
              "the " + std::string(pick(domain_of(history).things, number, 10)));
}

std::string_view block_reason(uint32_t text) { return pick(kBlocks, text, 11); }
std::string_view block_resolution(uint32_t text) { return pick(kUnblocks, text, 12); }
std::string_view comment_text(uint32_t text) { return pick(kComments, text, 13); }
std::string_view fail_reason(uint32_t text) { return pick(kFails, text, 14); }
std::string_view cancel_reason(uint32_t text) { return pick(kCancels, text, 15); }
std::string_view reopen_reason(uint32_t text) { return pick(kReopens, text, 16); }

std::string commit_message(const History& history, uint32_t item, uint32_t text) {
  return join(pick(kCommits, text, 17),
              "the " + std::string(pick(domain_of(history).things, item, 1)));
}

const InsightText& insight_text(uint32_t text) { return kInsights[mix(text) % kInsights.size()]; }

}  // namespace contextcore::demo
