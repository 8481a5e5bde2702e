#pragma once
// /tracker/v1/export: how far telemetry has been handed on, and another try.

#include <string_view>

#include "api/router.h"
#include "api/service.h"

namespace contextcore::api {

void mount_export(Router& router, const ServiceOptions& options);

// Names the store that telemetry was exported by.
inline constexpr std::string_view kStoreHeader = "x-contextcore-store";
bool is_own_export(std::string_view sender, const ServiceOptions& options);
Error own_export_error();

// A request that this very store has exported, come back: 508, so that it does not go round for
// ever. nullopt: another.
std::optional<Response> refuse_own_export(const Request& request, const ServiceOptions& options);

}  // namespace contextcore::api
