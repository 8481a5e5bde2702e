#include "api/page.h"

#include "api/html.h"

namespace contextcore::api {

namespace {

Response error_page(const Error& error, bool demo) {
  std::string body = "<h1>" + escape_html(error.message) + "</h1>\n";
  if (!error.hint.empty()) body += "<p class=\"soft\">" + escape_html(error.hint) + "</p>\n";
  if (!error.candidates.empty()) {
    body += "<p>Close to it:";
    for (const std::string& candidate : error.candidates) body += " " + escape_html(candidate);
    body += "</p>\n";
  }
  return html_page(http_status(error.code), "ContextCore", body, demo);
}

}  // namespace

void Page::mount(Router& router) {
  router.add("GET", "/", [this](const Call&) { return portfolio(); });
  router.add("GET", "/task/{project}/{id}", [this](const Call& call) {
    return task(call.capture("project"), call.capture("id"));
  });
}

Response Page::portfolio() const {
  Result<store::Store::Read> read = options_.store->read();
  if (!read.ok()) return error_page(read.error(), options_.demo);
  Result<std::string> body = render_portfolio(options_, *read);
  if (!body.ok()) return error_page(body.error(), options_.demo);
  return html_page(200, "ContextCore", *body, options_.demo);
}

Response Page::task(const std::string& project, const std::string& id) const {
  Result<store::Store::Read> read = options_.store->read();
  if (!read.ok()) return error_page(read.error(), options_.demo);
  std::string title;
  Result<std::string> body = render_task(options_, *read, project, id, title);
  if (!body.ok()) return error_page(body.error(), options_.demo);
  return html_page(200, title, *body, options_.demo);
}

}  // namespace contextcore::api
