#pragma once
// The page: server-rendered HTML without script. Every number on it comes from a TraceQL or LogQL
// query that the page runs and shows beside it.
//
// Start here: page_data.h (queries and what they give), page_portfolio.cpp and page_task.cpp (what
// is shown), html.h (how). Data comes from anybody who can send telemetry: spans that claim to be
// work but are not the journal's are left out, and all text is escaped.

#include "api/router.h"
#include "api/service.h"

namespace contextcore::api {

class Page {
 public:
  explicit Page(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  Response portfolio() const;
  Response task(const std::string& project, const std::string& id) const;

  const ServiceOptions& options_;
};

// The bodies of the two pages.
Result<std::string> render_portfolio(const ServiceOptions& options, const store::Store::Read& read);
// id: as it stands in the address (any unique prefix). not_found: no such task.
Result<std::string> render_task(const ServiceOptions& options, const store::Store::Read& read,
                                const std::string& project, const std::string& id,
                                std::string& title);

}  // namespace contextcore::api
