#pragma once
// /tracker/v1/export: how far telemetry has been handed on, and another try.

#include "api/router.h"
#include "api/service.h"

namespace contextcore::api {

void mount_export(Router& router, const ServiceOptions& options);

// A request that this very store has exported, come back: 508, so that it does not go round for
// ever. nullopt: another.
std::optional<Response> refuse_own_export(const Request& request, const ServiceOptions& options);

}  // namespace contextcore::api
