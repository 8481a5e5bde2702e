#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace contextcore::cli {

namespace {
constexpr int kBarColumns = 30;
}  // namespace

ProgressBar::ProgressBar() : shown_(::isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(Context& context, double share, const std::string& what) {
  const int percent = static_cast<int>(share * 100);
  if (!shown_ || percent == percent_) return;
  percent_ = percent;
  const auto filled = static_cast<size_t>(share * kBarColumns);
  context.print_error("\r[" + std::string(filled, '#') + std::string(kBarColumns - filled, '.') +
                      "] " + std::to_string(percent) + " %  " + what + " ");
}

void ProgressBar::clear() {
  if (percent_ >= 0) std::fputs("\r\x1b[K", stderr);
  percent_ = -1;
}

}  // namespace contextcore::cli
