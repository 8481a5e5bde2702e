#include "work/rebuild.h"

#include "work/fold.h"

namespace contextcore::work {

Result<RebuildReport> rebuild_store(store::Store& store) {
  CC_ASSIGN(const store::Store::Read read, store.read());
  CC_ASSIGN(std::vector<store::JournalSpan> spans, rebuild(*read.source));
  RebuildReport report;
  report.spans = static_cast<int64_t>(spans.size());
  for (const store::JournalSpan& folded : spans) {
    CC_ASSIGN(const std::optional<store::JournalSpan> stored, read.work->span(folded.span.span_id));
    const bool same = stored && stored->revision == folded.revision &&
                      stored->span == folded.span && stored->resource == folded.resource &&
                      stored->scope == folded.scope;
    if (!same) ++report.changed;
  }
  if (report.changed > 0) CC_TRY(store.replace_spans(std::move(spans)));
  return report;
}

}  // namespace contextcore::work
