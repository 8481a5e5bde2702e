#pragma once
// A bar on a terminal while something takes its time; nothing where nobody looks.

#include <string>

#include "cli/context.h"

namespace contextcore::cli {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // share: 0 to 1; what: "120 tasks".
  void show(Context& context, double share, const std::string& what);
  void clear();

 private:
  bool shown_;
  int percent_ = -1;
};

}  // namespace contextcore::cli
