// Plans top down (epics, stories, leaves), works the leaves off with a team of bounded size, then
// closes stories and epics when what they hold has ended.

#include "demo/history.h"
#include "base/sort.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time.h"
#include "demo/draw.h"
#include "demo/texts.h"

namespace contextcore::demo {
namespace {

constexpr int64_t kMonthNs = 30 * kDayNs + kDayNs * 44 / 100;
constexpr int64_t kSprintNs = 14 * kDayNs;
constexpr int64_t kNever = INT64_MAX;
constexpr int64_t kBacklogNs = 6 * kDayNs;  // what can wait longer was put into the backlog

// docs/demo.md names the sources of these.
constexpr double kLeavesPerPersonMonth = 9;
constexpr double kStoriesPerEpic = 4.5;
constexpr double kLeavesPerStory = 3.8;
constexpr double kHoursPerPoint = 2.6;      // median of working time
constexpr double kWorkSigma = 0.75;         // of its logarithm: mean overrun about a third
constexpr double kBacklogHoursMedian = 40;  // working hours until it could be started
constexpr double kBacklogSigma = 1.1;
constexpr double kReviewHoursMedian = 6;  // working hours, that is 15 by the clock
constexpr double kReviewSigma = 1.1;
constexpr double kBlockedShare = 0.15;
constexpr double kBlockedHoursMedian = 20;
constexpr double kReworkShare = 0.22;
constexpr double kBugReopenShare = 0.09;
constexpr double kReopenShare = 0.03;
constexpr double kCancelShare = 0.05;
constexpr double kFailShare = 0.015;
constexpr double kAgentFailShare = 0.05;
constexpr double kMoveShare = 0.02;
constexpr double kAgentSpeed = 0.25;  // of a person's time

class Planner {
 public:
  Planner(const DemoOptions& options, uint32_t number)
      : draw_(options.seed * 1'000'003 + number), until_ns_(options.until_ns) {
    history_.domain = number % domain_count();
    history_.project = project_name(number);
    history_.prefix = project_prefix(number);
    const int64_t span_ns = std::max<int64_t>(options.months, 1) * kMonthNs;
    history_.start_ns = week_start(until_ns_ - span_ns);
    const auto months = static_cast<double>(until_ns_ - history_.start_ns) / kMonthNs;
    if (options.tasks > 0) {
      const int64_t share = options.tasks / options.projects;
      const bool more = number < options.tasks % options.projects;
      wanted_ = static_cast<size_t>(std::max<int64_t>(share + (more ? 1 : 0), 1));
      history_.people = static_cast<uint32_t>(std::max(
          3.0, std::round(static_cast<double>(wanted_) / (months * kLeavesPerPersonMonth * 1.5))));
    } else {
      history_.people = static_cast<uint32_t>(draw_.between(4, 7));
      wanted_ = static_cast<size_t>(months * kLeavesPerPersonMonth * 1.5 * history_.people);
    }
    history_.agents = std::max(2u, history_.people / 3);
  }

  History plan() {
    create_items();
    work_off();
    close_parents();
    add_sprints();
    std::erase_if(history_.steps, [&](const Step& step) { return step.time_ns > until_ns_; });
    sort_stably(history_.steps, [](const Step& a, const Step& b) { return a.time_ns < b.time_ns; });
    return std::move(history_);
  }

 private:
  // ---- what there is to do ----

  uint32_t add(ItemType type, uint32_t parent, int64_t created_ns) {
    Item item;
    item.type = type;
    item.parent = item.first_parent = parent;
    const int64_t first_ns = parent == kNoItem ? 0 : items()[parent].created_ns + kMinuteNs;
    item.created_ns =
        std::max(next_working_time(created_ns) + draw_.between(0, 600) * kSecondNs, first_ns);
    // Nothing lies in the future; what would, came up some time after what holds it.
    const int64_t last_ns = until_ns_ - kHourNs * (type == ItemType::epic      ? 8
                                                   : type == ItemType::story   ? 5
                                                   : type == ItemType::subtask ? 1
                                                                               : 2);
    if (item.created_ns > last_ns) {
      const int64_t since_ns = std::max(first_ns, last_ns - 5 * kDayNs);
      item.created_ns = since_ns < last_ns ? draw_.between(since_ns, last_ns) : since_ns;
    }
    static constexpr std::array<double, 5> kPriorities = {0.04, 0.2, 0.45, 0.16, 0.15};
    item.priority = static_cast<uint8_t>(draw_.weighted(kPriorities));
    items().push_back(item);
    return static_cast<uint32_t>(items().size() - 1);
  }

  bool full() const { return history_.items.size() >= wanted_; }

  void create_items() {
    const int64_t span_ns = until_ns_ - history_.start_ns;
    const double per_epic = 1 + kStoriesPerEpic * (1 + kLeavesPerStory * 1.55);
    const auto epics = std::max<size_t>(
        1, static_cast<size_t>(std::lround(static_cast<double>(wanted_) / per_epic)));
    for (size_t e = 0; !full(); ++e) {
      // More than planned when the draws were small: late epics, with little done yet.
      const double place = std::min(
          (static_cast<double>(e) + 0.8 * draw_.uniform()) / static_cast<double>(epics), 0.97);
      create_epic(history_.start_ns + static_cast<int64_t>(place * static_cast<double>(span_ns)));
    }
  }

  void create_epic(int64_t at_ns) {
    const uint32_t epic = add(ItemType::epic, kNoItem, at_ns);
    const int64_t stories = 1 + draw_.poisson(kStoriesPerEpic - 1);
    for (int64_t s = 0; s < stories && !full(); ++s) {
      const uint32_t story =
          add(ItemType::story, epic, add_working_hours(at_ns, draw_.log_normal(30, 1.0)));
      stories_.push_back(story);
      create_story_items(epic, story);
    }
    if (!full()) create_loose_items(epic);
  }

  void create_story_items(uint32_t epic, uint32_t story) {
    const int64_t leaves = 1 + draw_.poisson(kLeavesPerStory - 1);
    uint32_t before = kNoItem;
    for (int64_t l = 0; l < leaves && !full(); ++l) {
      static constexpr std::array<double, 3> kTypes = {0.8, 0.13, 0.07};  // task, bug, spike
      static constexpr std::array<ItemType, 3> kOf = {ItemType::task, ItemType::bug,
                                                      ItemType::spike};
      const ItemType type = kOf[draw_.weighted(kTypes)];
      const double later =
          type == ItemType::bug ? draw_.log_normal(60, 0.8) : draw_.log_normal(3, 1.2);
      const uint32_t leaf = add(type, story, add_working_hours(items()[story].created_ns, later));
      make_leaf(leaf);
      if (before != kNoItem && draw_.chance(0.35) &&
          items()[before].created_ns + kMinuteNs < items()[leaf].created_ns) {
        items()[leaf].depends_on = before;
      }
      before = leaf;
      if (stories_.size() > 4 && draw_.chance(kMoveShare)) {
        const uint32_t other = stories_[stories_.size() - 2 - draw_.below(3)];
        if (items()[other].created_ns + kMinuteNs < items()[leaf].created_ns)
          items()[leaf].first_parent = other;
      }
      if (type == ItemType::task && draw_.chance(0.12)) create_subtasks(leaf);
    }
    if (draw_.chance(0.04) && epic > 0) move_story(story);
  }

  void move_story(uint32_t story) {
    for (uint32_t i = 0; i < story; ++i) {
      if (items()[i].type == ItemType::epic && i != items()[story].parent &&
          items()[i].created_ns + kMinuteNs < items()[story].created_ns) {
        items()[story].first_parent = i;  // the last one that fits
      }
    }
  }

  void create_subtasks(uint32_t task) {
    items()[task].points = 0;
    const int64_t parts = draw_.between(2, 4);
    for (int64_t i = 0; i < parts && !full(); ++i) {
      make_leaf(add(ItemType::subtask, task, items()[task].created_ns + i * kMinuteNs));
    }
  }

  // Bugs and incidents of an epic's weeks that belong to no story.
  void create_loose_items(uint32_t epic) {
    const int64_t bugs = draw_.poisson(4);
    for (int64_t b = 0; b < bugs && !full(); ++b) {
      const bool incident = draw_.chance(0.15);
      const int64_t at_ns = items()[epic].created_ns + draw_.between(0, 45 * kDayNs);
      if (at_ns >= until_ns_) continue;
      const uint32_t item = add(incident ? ItemType::incident : ItemType::bug,
                                draw_.chance(0.4) ? epic : kNoItem, at_ns);
      if (incident) items()[item].priority = draw_.chance(0.5) ? 0 : 1;
      make_leaf(item);
    }
  }

  void make_leaf(uint32_t number) {
    static constexpr std::array<double, 5> kWeights = {0.22, 0.3, 0.26, 0.16, 0.06};
    static constexpr std::array<uint16_t, 5> kPoints = {1, 2, 3, 5, 8};
    Item& item = items()[number];
    item.points = kPoints[draw_.weighted(kWeights)];
    item.estimate_minutes = static_cast<int64_t>(item.points * kHoursPerPoint * 60);
    leaves_.push_back(number);
  }

  // ---- doing it ----

  struct Worker {
    int64_t free_ns = 0;
    bool agent = false;
    uint32_t number = 0;
  };

  void work_off() {
    ends_.assign(items().size(), kNever);
    starts_.assign(items().size(), kNever);
    ready_.assign(items().size(), kNever);
    has_leaves_.assign(items().size(), false);
    for (uint32_t i = 0; i < items().size(); ++i) {
      if (items()[i].parent != kNoItem) has_leaves_[items()[i].parent] = true;
    }
    std::erase_if(leaves_, [&](uint32_t leaf) { return has_leaves_[leaf]; });
    for (const uint32_t leaf : leaves_) set_ready(leaf);
    sort_stably(leaves_, [&](uint32_t a, uint32_t b) { return ready_[a] < ready_[b]; });
    std::vector<Worker> team;
    for (uint32_t i = 0; i < history_.people; ++i) team.push_back({history_.start_ns, false, i});
    for (uint32_t i = 0; i < history_.agents; ++i) team.push_back({history_.start_ns, true, i});
    // A heap by who is free first.
    const auto later = [](const Worker& a, const Worker& b) { return a.free_ns > b.free_ns; };
    std::make_heap(team.begin(), team.end(), later);
    for (const uint32_t leaf : leaves_) {
      std::pop_heap(team.begin(), team.end(), later);
      live(leaf, team.back());
      std::push_heap(team.begin(), team.end(), later);
    }
  }

  void set_ready(uint32_t leaf) {
    Item& item = items()[leaf];
    if (item.type == ItemType::incident) {
      ready_[leaf] = item.created_ns + draw_.between(3, 40) * kMinuteNs;
      return;
    }
    const double urgency = item.priority == 0 ? 0.1 : item.priority == 1 ? 0.5 : 1;
    ready_[leaf] = add_working_hours(
        item.created_ns, urgency * draw_.log_normal(kBacklogHoursMedian, kBacklogSigma));
    const uint32_t other = item.depends_on;
    if (other != kNoItem && has_leaves_[other]) item.depends_on = kNoItem;
    if (item.depends_on != kNoItem && ready_[other] != kNever) {
      ready_[leaf] = std::max(ready_[leaf], ready_[other] + kMinuteNs);
    }
  }

  void step(int64_t time_ns, uint32_t item, StepKind kind, uint32_t detail = 0) {
    // Whole seconds read better; within an item the order stays.
    history_.steps.push_back({time_ns - time_ns % kSecondNs, item, kind, detail});
  }
  uint32_t text() { return static_cast<uint32_t>(draw_.below(UINT32_MAX)); }

  int64_t advance(const Worker& worker, int64_t t_ns, double hours) {
    if (!worker.agent) return add_working_hours(t_ns, hours);
    return t_ns +
           std::max<int64_t>(static_cast<int64_t>(hours * kAgentSpeed * kHourNs), 2 * kMinuteNs);
  }

  // One leaf's life. Times only grow.
  void live(uint32_t leaf, Worker& worker) {
    Item& item = items()[leaf];
    item.agent = worker.agent;
    item.worker = worker.number;
    const bool backlog = ready_[leaf] - item.created_ns > kBacklogNs;
    step(item.created_ns, leaf, StepKind::create, backlog ? 1 : 0);
    int64_t t_ns = std::max(ready_[leaf], worker.free_ns);
    if (item.depends_on != kNoItem) t_ns = std::max(t_ns, ends_[item.depends_on]);
    if (t_ns >= until_ns_) return plan_only(leaf);
    move_if_moved(leaf, t_ns);
    if (draw_.chance(kCancelShare)) {
      step(t_ns, leaf, StepKind::cancel, text());
      ends_[leaf] = t_ns;
      return;
    }
    plan_sprint(leaf, t_ns);
    if (!worker.agent) t_ns = next_working_time(t_ns);
    if (!worker.agent) step(t_ns, leaf, StepKind::start);
    leased_until_ns_ = 0;
    hold(leaf, t_ns);
    starts_[leaf] = t_ns;
    const double hours = draw_.log_normal(item.points * kHoursPerPoint, kWorkSigma);
    t_ns = work(leaf, worker, t_ns, hours);
    worker.free_ns = busy_until_ns_;
    if (draw_.chance(worker.agent ? kAgentFailShare : kFailShare)) {
      hold(leaf, t_ns);
      step(t_ns, leaf, StepKind::fail, text());
    } else {
      t_ns = finish(leaf, worker, t_ns, hours);
    }
    ends_[leaf] = t_ns;
    talk(leaf, t_ns);
  }

  // An agent that wants to block or end a task claims it, again if its lease has run out.
  void hold(uint32_t leaf, int64_t t_ns) {
    if (!items()[leaf].agent || t_ns < leased_until_ns_) return;
    step(t_ns, leaf, StepKind::claim);
    leased_until_ns_ = t_ns + kLeaseNs - kMinuteNs;
  }

  // Known, and nobody has started: what there is of it at the end of the history.
  void plan_only(uint32_t leaf) {
    if (items()[leaf].first_parent != items()[leaf].parent)
      items()[leaf].first_parent = items()[leaf].parent;
    talk(leaf, kNever);
  }

  void move_if_moved(uint32_t leaf, int64_t before_ns) {
    const Item& item = items()[leaf];
    if (item.first_parent == item.parent) return;
    const int64_t at_ns = item.created_ns + (before_ns - item.created_ns) / 2;
    step(at_ns, leaf, StepKind::move);
    moves_.push_back({item.first_parent, at_ns});
  }

  void plan_sprint(uint32_t leaf, int64_t start_ns) {
    const auto number = static_cast<uint32_t>((start_ns - history_.start_ns) / kSprintNs) + 1;
    const int64_t planned_ns =
        std::max(items()[leaf].created_ns, sprint_start_ns(history_, number) + 9 * kHourNs);
    if (planned_ns > start_ns) return;
    step(planned_ns, leaf, StepKind::plan, number);
    if (!items()[leaf].agent) step(planned_ns, leaf, StepKind::assign);
  }

  int64_t work(uint32_t leaf, const Worker& worker, int64_t t_ns, double hours) {
    const bool blocked = draw_.chance(kBlockedShare);
    const double first = blocked ? hours * (0.2 + 0.6 * draw_.uniform()) : hours;
    busy_until_ns_ = advance(worker, t_ns, hours);
    int64_t at_ns = advance(worker, t_ns, first);
    if (draw_.chance(worker.agent ? 0.3 : 0.07)) {
      step(t_ns + (at_ns - t_ns) / 2, leaf, StepKind::insight, text());
    }
    if (!blocked) return at_ns;
    hold(leaf, at_ns);
    step(at_ns, leaf, StepKind::block, text());
    at_ns = add_working_hours(at_ns, draw_.log_normal(kBlockedHoursMedian, 1.0));
    step(at_ns, leaf, StepKind::unblock, text());
    return advance(worker, at_ns, hours - first);
  }

  int64_t finish(uint32_t leaf, const Worker& worker, int64_t t_ns, double hours) {
    const ItemType type = items()[leaf].type;
    const bool code = type != ItemType::spike;
    if (code) step(t_ns, leaf, StepKind::commit, text());
    if (code && draw_.chance(0.85)) t_ns = review(leaf, worker, t_ns, hours);
    hold(leaf, t_ns);
    step(t_ns, leaf, StepKind::done);
    if (draw_.chance(type == ItemType::bug ? kBugReopenShare : kReopenShare)) {
      t_ns = add_working_hours(t_ns, draw_.log_normal(30, 0.8));
      step(t_ns, leaf, StepKind::reopen, text());
      t_ns = advance(worker, t_ns, hours * 0.6);
      if (code) step(t_ns, leaf, StepKind::commit, text());
      leased_until_ns_ = 0;  // the first life has ended with its claim
      hold(leaf, t_ns);
      step(t_ns, leaf, StepKind::done);
    }
    return t_ns;
  }

  int64_t review(uint32_t leaf, const Worker& worker, int64_t t_ns, double hours) {
    step(t_ns, leaf, StepKind::review);
    t_ns = add_working_hours(t_ns, draw_.log_normal(kReviewHoursMedian, kReviewSigma));
    if (!draw_.chance(kReworkShare)) return t_ns;
    step(t_ns, leaf, StepKind::rework);
    t_ns = advance(worker, t_ns, 0.3 * hours);
    step(t_ns, leaf, StepKind::commit, text());
    t_ns += kMinuteNs;
    step(t_ns, leaf, StepKind::review);
    return add_working_hours(t_ns, draw_.log_normal(kReviewHoursMedian / 2, kReviewSigma));
  }

  void talk(uint32_t leaf, int64_t end_ns) {
    const int64_t comments = draw_.poisson(1.1);
    const int64_t first_ns = items()[leaf].created_ns + 5 * kMinuteNs;
    const int64_t last_ns = std::min(end_ns, until_ns_);
    for (int64_t i = 0; i < comments && first_ns < last_ns; ++i) {
      step(next_working_time(draw_.between(first_ns, last_ns)), leaf, StepKind::comment, text());
    }
  }

  // ---- what holds it ----

  // Children have greater numbers than their parents.
  void close_parents() {
    std::vector<int64_t> start(starts_), end(items().size(), 0);
    std::vector<bool> open(items().size(), false);
    // A parent that loses a child by a move stays open until then.
    for (const auto& [item, at_ns] : moves_) end[item] = std::max(end[item], at_ns);
    for (const Item& item : items()) {
      if (item.first_parent == item.parent || item.first_parent == kNoItem) continue;
      end[item.first_parent] = std::max(end[item.first_parent], item.created_ns + kDayNs);
    }
    for (uint32_t i = static_cast<uint32_t>(items().size()); i-- > 0;) {
      const Item& item = items()[i];
      if (has_leaves_[i] || item.type == ItemType::epic || item.type == ItemType::story) {
        close(i, start[i], open[i] ? kNever : end[i]);
        end[i] = ends_[i];
      } else {
        end[i] = ends_[i];
      }
      if (item.parent == kNoItem) continue;
      start[item.parent] = std::min(start[item.parent], start[i]);
      if (end[i] >= until_ns_) {
        open[item.parent] = true;
      } else {
        end[item.parent] = std::max(end[item.parent], end[i]);
      }
    }
  }

  void close(uint32_t number, int64_t start_ns, int64_t end_ns) {
    Item& item = items()[number];
    item.worker = static_cast<uint32_t>(draw_.below(history_.people));
    step(item.created_ns, number, StepKind::create);
    if (item.first_parent != item.parent) {
      step(item.created_ns + kDayNs / 2, number, StepKind::move);
    }
    ends_[number] = kNever;
    if (start_ns != kNever) {
      step(start_ns, number, StepKind::assign);
      step(start_ns, number, StepKind::start);
    }
    if (end_ns == kNever || start_ns == kNever) return;
    end_ns = add_working_hours(std::max(end_ns, item.created_ns + kDayNs),
                               draw_.log_normal(item.type == ItemType::epic ? 20 : 4, 0.9));
    step(end_ns, number, StepKind::done);
    ends_[number] = end_ns;
  }

  void add_sprints() {
    for (uint32_t number = 1;; ++number) {
      const int64_t start_ns = sprint_start_ns(history_, number);
      if (start_ns >= until_ns_) return;
      step(start_ns + 9 * kHourNs - kSecondNs, kNoItem, StepKind::sprint_start, number);
      step(start_ns + kSprintNs + 9 * kHourNs - 2 * kSecondNs, kNoItem, StepKind::sprint_end,
           number);
    }
  }

  std::vector<Item>& items() { return history_.items; }

  Draw draw_;
  int64_t until_ns_;
  size_t wanted_ = 0;
  History history_;
  std::vector<uint32_t> stories_, leaves_;
  std::vector<int64_t> ready_, starts_, ends_;
  std::vector<bool> has_leaves_;
  std::vector<std::pair<uint32_t, int64_t>> moves_;  // from which parent, when
  int64_t busy_until_ns_ = 0, leased_until_ns_ = 0;
};

}  // namespace

int64_t sprint_start_ns(const History& history, uint32_t number) {
  return history.start_ns + static_cast<int64_t>(number - 1) * kSprintNs;
}

History plan_history(const DemoOptions& options, uint32_t project_number) {
  return Planner(options, project_number).plan();
}

}  // namespace contextcore::demo
