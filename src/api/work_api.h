#pragma once
// /tracker/v1: the work model over HTTP. Two calls carry everything (POST commands, POST
// questions); the REST forms are spellings of the same.

#include "api/router.h"
#include "api/service.h"

namespace contextcore::api {

class WorkApi {
 public:
  explicit WorkApi(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  void mount_tasks(Router& router);
  void mount_insights(Router& router);
  void mount_server(Router& router);

  Response command(const Request& request) const;
  Response question(const Request& request) const;
  // The body is the operation's args, and besides them actor, time, expected_revision and project;
  // the query parameter project wins. id_from_path: "" = the body says.
  Response command_form(const Request& request, std::string op,
                        std::string_view id_from_path) const;
  // Query parameters are the question's args, project besides them.
  Response question_form(const Request& request, std::string op,
                         std::string_view id_from_path) const;
  Response run(const Request& request, work::Command command) const;
  Response ask(const work::Question& question) const;
  Response rebuild() const;
  Response import_events(const Request& request) const;
  Response server(const Request& request) const;

  const ServiceOptions& options_;
};

}  // namespace contextcore::api
