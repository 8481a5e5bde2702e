#include "work/rebuild.h"

#include "store/verify.h"
#include "work/fold.h"

namespace contextcore::work {

Result<RebuildReport> rebuild_store(store::Store& store) {
  CC_ASSIGN(const store::Store::Read read, store.read());
  CC_ASSIGN(Rebuilt rebuilt, rebuild(*read.source));
  RebuildReport report;
  report.spans = static_cast<int64_t>(rebuilt.spans.size());
  for (const store::JournalSpan& folded : rebuilt.spans) {
    const auto found = read.work->span(folded.span.span_id);
    // What is damaged is made anew like what differs.
    if (!found.ok() && found.error().code != Code::corruption) return found.error();
    const std::optional<store::JournalSpan> stored = found.ok() ? *found : std::nullopt;
    const bool same = stored && stored->revision == folded.revision &&
                      stored->span == folded.span && stored->resource == folded.resource &&
                      stored->scope == folded.scope;
    if (!same) ++report.changed;
  }
  for (const auto& [from, to] : rebuilt.forwards) {
    if (read.source->forward(from) != to) ++report.forwards;
  }
  const Status index = store::verify_index(*read.work);
  if (report.changed > 0 || report.forwards > 0 || !index.ok()) {
    CC_TRY(store.replace_spans(std::move(rebuilt.spans), std::move(rebuilt.forwards)));
    // The damaged files are named until the next cut.
    if (!index.ok()) CC_TRY(store.cut());
  }
  return report;
}

}  // namespace contextcore::work
