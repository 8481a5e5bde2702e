#include "work/rebuild.h"

#include "work/fold.h"

namespace contextcore::work {

Result<RebuildReport> rebuild_store(store::Store& store) {
  CC_ASSIGN(const store::Store::Read read, store.read());
  CC_ASSIGN(Rebuilt rebuilt, rebuild(*read.source));
  RebuildReport report;
  report.spans = static_cast<int64_t>(rebuilt.spans.size());
  for (const store::JournalSpan& folded : rebuilt.spans) {
    CC_ASSIGN(const std::optional<store::JournalSpan> stored, read.work->span(folded.span.span_id));
    const bool same = stored && stored->revision == folded.revision &&
                      stored->span == folded.span && stored->resource == folded.resource &&
                      stored->scope == folded.scope;
    if (!same) ++report.changed;
  }
  for (const auto& [from, to] : rebuilt.forwards) {
    if (read.source->forward(from) != to) ++report.forwards;
  }
  if (report.changed > 0 || report.forwards > 0) {
    CC_TRY(store.replace_spans(std::move(rebuilt.spans), std::move(rebuilt.forwards)));
  }
  return report;
}

}  // namespace contextcore::work
