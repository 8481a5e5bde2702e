// Files of a version that could not be read, opened again.

#include <type_traits>
#include <utility>

#include "store/read_failures.h"
#include "store/store_version.h"

namespace contextcore::store {

Result<std::shared_ptr<const Version>> reopened_version(FileSystem& files,
                                                        const std::string& directory,
                                                        const Version& version) {
  auto next = std::make_shared<Version>(version);
  bool any = false;
  const auto reopen = [&](auto& segments) -> Status {
    for (auto& segment : segments) {
      if (!is_read_failure(segment.rows.status())) continue;
      const SegmentInfo& info = segment.info;
      using Handle = std::remove_reference_t<decltype(segment.rows)>;
      CC_ASSIGN(segment.rows, Handle::open(files, data_path(directory, info.number, extension_of(info.kind)), info.rows));
      any = true;
    }
    return {};
  };
  CC_TRY(reopen(next->spans));
  CC_TRY(reopen(next->logs));
  if (is_read_failure(next->work->status())) {
    CC_ASSIGN(next->work, next->work->reopened(files));
    any = true;
  }
  return any ? std::shared_ptr<const Version>(std::move(next)) : nullptr;
}

}  // namespace contextcore::store
