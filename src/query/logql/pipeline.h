#pragma once
// A selector made ready to run: what the store can decide, and the stages over one entry.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/ast.h"
#include "query/logql/labels.h"
#include "query/logql/match.h"
#include "store/fetch.h"

namespace contextcore::logql {

class CompiledStage {
 public:
  virtual ~CompiledStage() = default;
  // False drops the entry. A stage that changes the line stores it in buffer and lets line view it.
  virtual bool run(EntryLabels& labels, std::string_view& line, std::string& buffer) const = 0;
};

// Immutable after compile(); process() keeps its state in the caller's objects.
class Pipeline {
 public:
  // unsupported: a stage that is not built.
  static Result<Pipeline> compile(const LogSelector& selector);

  // Fills in stream_filter and line_contains. The request borrows nothing.
  void push_down(store::LogFetchRequest& request) const;

  // Whether the stream is selected at all; process() takes that for granted.
  bool selects(const LabelPairs& stream) const;
  // False drops the entry. line may come to view buffer.
  bool process(EntryLabels& labels, std::string_view& line, std::string& buffer) const;

 private:
  std::vector<CompiledMatcher> matchers_;
  std::vector<std::shared_ptr<const CompiledStage>> stages_;
  std::vector<std::string> line_contains_;
};

}  // namespace contextcore::logql
